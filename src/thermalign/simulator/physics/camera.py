"""A pinhole camera in front of a head that turns about its neck.

The camera stands at (0, 0, distance) and looks along -z. In the head's own frame the ray of a pixel
meets the plane at height h in a homography of the pixel's coordinates, so a plane of the head is
seen by one perspective warp, and a ray is a straight line with the height as its parameter.
"""

from dataclasses import dataclass, replace

import numpy as np

from thermalign.simulator.physics.capture import Matrix
from thermalign.simulator.physics.fields import Map, Window

PIVOT = np.array([0.0, 40.0, -70.0])  # mm, where the head turns: about the atlas; ASSUME


@dataclass(frozen=True)
class Camera:
    """A camera in front of a head.

    Attributes
    ----------
    rotation : (3, 3)
        Of the head against the camera.
    distance : float, mm
    scale : float, px/mm
        In the plane through the eyes of the frontal head.
    centre : (x, y), pixels
        Where the point between the eyes of the frontal head is seen.
    shape : (height, width), pixels
    """

    rotation: Matrix
    distance: float
    scale: float
    centre: tuple[float, float]
    shape: tuple[int, int]

    @property
    def position(self) -> Matrix:
        """The camera in the head's frame, (3,) mm."""
        return np.asarray(self.rotation.T @ (np.array([0, 0, self.distance]) - PIVOT) + PIVOT)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.shape[1], self.shape[0]

    def project(self, points: Matrix) -> Matrix:
        """Project points of the head, (N, 3) mm, to pixels, (N, 2)."""
        seen = (points - PIVOT) @ self.rotation.T + PIVOT
        scale = self.scale * self.distance / (self.distance - seen[:, 2:])
        return np.asarray(seen[:, :2] * scale + self.centre)

    def window(self, part: Window) -> "Camera":
        """Return the camera that sees only these rows and columns of the image."""
        rows, columns = part
        centre = self.centre[0] - columns.start, self.centre[1] - rows.start
        shape = rows.stop - rows.start, columns.stop - columns.start
        return replace(self, centre=centre, shape=shape)

    def coarser(self, step: int) -> "Camera":
        """Return the camera whose pixels are ``step`` x ``step`` pixels, the last ones in part."""
        x, y = ((v - (step - 1) / 2) / step for v in self.centre)
        return replace(self, scale=self.scale / step, centre=(x, y), shape=self.grid(step))

    def plane(self, height: float) -> Matrix:
        """Return the homography from pixels to the plane z = ``height``, mm."""
        x, y, z = self.position
        to_plane = np.array([[height - z, 0, x], [0, height - z, y], [0, 0, 1]])
        return np.asarray(to_plane @ self._rays(1))

    def _rays(self, step: int) -> Matrix:
        """Return the directions of rays in the head's frame, linear in the pixel's indices."""
        u, v = (np.array(self.centre) / -self.scale).tolist()
        pixel = step / self.scale
        lens = np.array([[pixel, 0, u], [0, pixel, v], [0, 0, -self.distance]])
        return np.asarray(self.rotation.T @ lens)

    def slopes(self, step: int = 1) -> tuple[Map, Map]:
        """Return mm across and down per mm of height along rays, each (h, w) float32.

        Parameters
        ----------
        step : int
            Rays through the middles of ``step`` x ``step`` pixels.
        """
        height, width = self.grid(step)
        matrix, middle = self._rays(step), (step - 1) / 2 / step
        columns = np.arange(width)[None, :] + middle
        rows = np.arange(height)[:, None] + middle
        x, y, z = (
            (row[0] * columns + (row[1] * rows + row[2])).astype(np.float32) for row in matrix
        )
        return x / z, y / z

    def grid(self, step: int) -> tuple[int, int]:
        """Return rows and columns of the rays that :meth:`Camera.slopes` returns."""
        height, width = ((n + step - 1) // step for n in self.shape)
        return height, width
