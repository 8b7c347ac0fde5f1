"""Ways to spoil a drawn set: what each changes, and the finding that it must give."""

import cv2
import numpy as np

from thermalign.geometry import LEFT_EYE, RIGHT_EYE, interocular_distance


def slip_of_the_hand(drawn):
    points = drawn.points("p3m1t")
    points[2, 0] += 0.35 * interocular_distance(points)
    drawn.place("p3m1t", points)


def corners_as_high_as_the_nose(drawn):
    points = drawn.points("p5m0v")
    points[3, 1] -= 0.35 * interocular_distance(points)
    drawn.place("p5m0v", points)


def eyes_exchanged(drawn):
    points = drawn.points("p2m0v")
    drawn.place("p2m0v", points[[1, 0, 2, 3, 4]])


def point_outside_the_image(drawn):
    points = drawn.points("p2m1t")
    points[4, 0] = 104.0
    drawn.place("p2m1t", points)


def whole_numbers(drawn):
    for image in drawn.of("thermal"):
        drawn.place(image, drawn.points(image), decimals=0)


def grid_of_a_small_copy(drawn):
    for image in drawn.of("visible"):
        drawn.place(image, np.rint(drawn.points(image) / 2.5) * 2.5 + 0.75)


def whole_numbers_but_for_the_nose(drawn):
    """An estimated nose lies between whole numbers."""
    for image in drawn.of("thermal"):
        points = drawn.points(image)
        drawn.place(image, np.where(np.arange(5)[:, None] == 2, points, np.rint(points)))


def registered(drawn):
    """Bring the eyes of every visible image to two fixed pixels; a real one is warped as well."""
    for image in drawn.of("visible"):
        points = drawn.points(image)
        across = points[LEFT_EYE] - points[RIGHT_EYE]
        complex_points = points[:, 0] + 1j * points[:, 1]
        eyes = complex_points[[RIGHT_EYE, LEFT_EYE]]
        placed = (complex_points - eyes[0]) / (across[0] + 1j * across[1]) * 28 + (36 + 46j)
        points = np.stack([placed.real, placed.imag], axis=1)
        drawn.place(image, points)
        low, high = points.min(0), points.max(0)
        drawn.box(image, [*(low - 15), *(high - low + 30)])


def one_picture_of_two_people(drawn):
    saved = cv2.imencode(".jpg", drawn.pictures["p1m0v"], (cv2.IMWRITE_JPEG_QUALITY, 80))[1]
    drawn.pictures["p7m2v"] = saved.tobytes()


def one_instant_twice(drawn):
    brighter = drawn.pictures["p4m0t"].astype(float) * 1.1 + 150
    drawn.pictures["p4m2t"] = brighter.astype(np.uint16)


def thermal_saved_as_visible(drawn):
    counts = drawn.pictures["p6m1t"].astype(float)
    drawn.pictures["p6m1v"] = np.clip((counts - 7000) / 12, 0, 255).astype(np.uint8)


def clipped(drawn):
    counts = drawn.pictures["p8m1t"]
    drawn.pictures["p8m1t"] = np.minimum(counts, np.percentile(counts, 80).astype(np.uint16))


def two_styles_of_boxes(drawn):
    for image in drawn.of("visible")[::2]:
        x, y, width, height = drawn.box_of(image)
        drawn.box(image, [x - width / 4, y - height / 4, 1.5 * width, 1.5 * height])


def odd_box(drawn):
    x, y, width, height = drawn.box_of("p9m0t")
    drawn.box("p9m0t", [x - width / 2, y, 2 * width, height])


def mouth_below_the_box(drawn):
    points = drawn.points("p0m0t")
    unit = interocular_distance(points)
    drawn.box("p0m0t", [*(points.mean(0) - [1.15 * unit, 0.75 * unit]), 2.3 * unit, 1.0 * unit])


def partner_lost(drawn):
    del drawn.rows["p10m1v"]


def dead_picture(drawn):
    drawn.pictures["p3m2t"] = np.full((120, 100), 8000, np.uint16)


def cut_off(drawn):
    whole = cv2.imencode(".png", drawn.pictures["p11m2v"])[1].tobytes()
    drawn.pictures["p11m2v"] = whole[: len(whole) // 2]


def tiny_face(drawn):
    drawn.place("p11m0t", (drawn.points("p11m0t") - 50) / 4 + 50)
    points = drawn.points("p11m0t")
    size = interocular_distance(points) * np.array([2.3, 2.9])
    drawn.box("p11m0t", [*(points.mean(0) - size / 2 + 0.5), *size])


SPOILINGS = {
    slip_of_the_hand: ("outlier", "p3m1t"),
    corners_as_high_as_the_nose: ("outlier", "p5m0v"),
    eyes_exchanged: ("refused", "p2m0v"),
    point_outside_the_image: ("refused", "p2m1t"),
    whole_numbers: ("rounded", ""),
    grid_of_a_small_copy: ("rounded", ""),
    whole_numbers_but_for_the_nose: ("rounded", ""),
    registered: ("registered", ""),
    one_picture_of_two_people: ("duplicate_people", "p1m0v"),
    one_instant_twice: ("same_instant", "p4m0t"),
    thermal_saved_as_visible: ("duplicate_modality", "p6m1t"),
    clipped: ("saturated", "p8m1t"),
    two_styles_of_boxes: ("mixed_boxes", ""),
    odd_box: ("odd_box", "p9m0t"),
    mouth_below_the_box: ("outside_box", "p0m0t"),
    partner_lost: ("missing_pair", "p10m1t"),
    dead_picture: ("refused", "p3m2t"),
    cut_off: ("refused", "p11m2v"),
    tiny_face: ("tiny", "p11m0t"),
}
"""Twelve ways at least; a kind of finding, and the image that it must name ("": all of them)."""

ALSO = {
    one_picture_of_two_people: {"outlier"},
    mouth_below_the_box: {"odd_box"},
    eyes_exchanged: {"missing_pair"},
    point_outside_the_image: {"missing_pair"},
    dead_picture: {"missing_pair"},
    cut_off: {"missing_pair"},
}
"""What else they may give: a partner of a refused image is alone, a low box is odd."""

TOGETHER = (
    slip_of_the_hand, eyes_exchanged, point_outside_the_image, whole_numbers, registered,
    one_picture_of_two_people, one_instant_twice, clipped, partner_lost, dead_picture, odd_box,
    mouth_below_the_box, tiny_face,
)  # fmt: skip
"""Ways that do not hide each other."""
