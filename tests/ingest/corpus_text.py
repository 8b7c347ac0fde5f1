"""Text: cells, headers, rows, separators, encodings, columns: and defaults:, paths."""

import codecs
import unicodedata

from cases import POINTS, Case, bare, both, encode, pair, row, texture, write_rows

PLAIN = write_rows(pair())
NAMES = {"images.subject_id": ["s1", "s2"], "annotations.x": [12, 27, 19.5, 14, 25] * 2}
GERMAN = {"path": "Datei", "subject_id": "Person"}
MODAL = {"modality": "thermal"}


def text(name, manifest, refused="", right=NAMES, **block):
    return Case(name, refused, {} if refused else right, manifest, block=block)


def changed(name, old, new, refused="", right=NAMES):
    """Return the case of the plain manifest with one change."""
    assert old in PLAIN, old
    return text(name, PLAIN.replace(old, new, 1), refused, right)


def column(name, refused="", *, head="path,subject_id", rows=(), right=NAMES, **block):
    """Return the case of a manifest with columns of its own before the landmarks."""
    names, cells = ",".join(POINTS), ",".join(str(v) for v in POINTS.values())
    lines = [f"{head},{names}", *(f"{r},{cells}" for r in rows or ("a.png,s1", "b.png,s2"))]
    return text(name, "\n".join(lines) + "\n", refused, right, **block)


def seen(cell, expected):
    right = {"annotations.visible": [expected, True, True, True, True] * 2}
    return Case(f"visible {cell!r}", "", right, both(right_eye_visible=cell))


def path(name, cell, refused="", **files):
    return Case(
        name,
        refused,
        {} if refused else {"images.width": [40, 40]},
        [row(cell), row("b.png", "s2")],
        files=files,
    )


CELLS = [
    *(
        changed(f"subject written {cell!r}", "a.png,s1,", f"a.png,{cell},")
        for cell in ("s1 ", " s1", "s1\u00a0", "\u200bs1", "s1\ufeff", '"s1 "', "\ts1", "s\u200b1")
    ),
    changed("header with blanks", "path,subject_id,", " path , subject_id\u00a0,"),
    changed("header with a zero-width blank", "path,subject_id,", "path,\u200bsubject_id,"),
    changed("numbers with blanks", ",27,", ", 27 ,"),
    changed("subject of blanks alone", "a.png,s1", "a.png,  ", "row 2 ... subject_id is empty"),
    changed("subject of a zero-width blank", "a.png,s1", "a.png,\u200b", "subject_id is empty"),
    changed("control character", "a.png,s1", "a.png,s\x071", "row 2 ... subject_id ... control"),
    *(
        changed(
            f"subject {cell}", "a.png,s1", f"a.png,{cell}", f"row 2 ... '{cell}' ... give a name"
        )
        for cell in ("nan", "NA", "#N/A", "null", "None", "-", "?")
    ),
    text(
        "a pair_id that names nothing", write_rows(both(pair_id="nan")), "row 2 ... leave it empty"
    ),
    text(
        "composed and decomposed",
        write_rows([row(subject="Ren\u00e9"), row("b.png", "Rene\u0301")]),
        right={"images.subject_id": ["Ren\u00e9"] * 2},
    ),
    *(
        text(
            f"subjects {one} and {two}",
            write_rows([row(subject=one), row("b.png", two)]),
            "row 3 ... differ only in how",
        )
        for one, two in [
            ("S01", "s01"),
            ("s01", "s1"),
            ("s 01", "s01"),
            ("s-01", "s_01"),
            ("ｓ１", "s1"),
            ("1", "1.0"),
            ("001", "1"),
            ("Straße", "STRASSE"),
        ]
    ),
    text(
        "conditions in two cases",
        write_rows([row(condition="Baseline"), row("b.png", "s2", condition="baseline")]),
        "row 3 ... condition ... differ only",
    ),
    text(
        "names that differ",
        write_rows([row(subject="1-1"), row("b.png", "11")]),
        right={"images.subject_id": ["1-1", "11"]},
    ),
    text(
        "modality in capitals",
        write_rows(both(modality="Thermal")),
        right={"images.modality": ["thermal"] * 2},
    ),
    text("modality unknown", write_rows(both(modality="LWIR")), "modality is 'LWIR' ... thermal"),
    text(
        "modality empty in one row",
        write_rows(both(modality="thermal")).replace("thermal", "", 1),
        "row 2 ... modality is empty",
    ),
    text(
        "condition empty in one row",
        write_rows([row(condition=""), row("b.png", "s2", condition="smile")]),
        "row 2 ... condition is empty",
    ),
    text(
        "a condition in all rows",
        write_rows(both(condition="none")),
        right={"images.condition": ["none"] * 2},
    ),
]

CELLS += [
    text(
        "a condition of two",
        write_rows(both(condition="a&b=c")),
        right={"images.condition": ["a&b=c"] * 2},
    ),
    text("a condition of no name", write_rows(both(condition="#N/A")), "condition ... give a name"),
]

VISIBLE = [
    *(seen(cell, True) for cell in ("", "true", "TRUE", "t", "Yes", "y", "1", "1.0", " true ")),
    *(seen(cell, False) for cell in ("false", "False", "f", "NO", "n", "0", "0.0")),
    *(
        Case(
            f"visible {cell!r}",
            f"row 2 ... right_eye_visible is '{cell}' ... true or false",
            manifest=both(right_eye_visible=cell),
        )
        for cell in ("2", "hidden", "nan", "wahr", "-1")
    ),
    Case(
        "visible without points",
        "right_eye_visible is 'maybe'",
        manifest=[row(), bare("b.png", "s2", right_eye_visible="maybe")],
    ),
]

ROWS = [
    changed("a trailing comma", "31\n", "31,\n"),
    text("trailing commas everywhere", PLAIN.replace("\n", ",\n")),
    text("blank lines", PLAIN.replace("\n", "\n\n") + "\n\n"),
    text("a blank line before the header", "\n" + PLAIN),
    text("rows of commas at the end", PLAIN + "," * 11 + "\n"),
    text("no line end at the end", PLAIN.rstrip("\n")),
    changed("a short row", ",25,31\n", ",25\n", "row 2: 11 cells, but the header names 12"),
    changed("a cell lost before offset", "27,16,", "27,", "row 2: 11 cells ... separators"),
    changed("a cell too many", "31\n", "31,7\n", "row 2: 13 cells, but the header names 12"),
    changed("a comma in a name", "a.png,s1", "a.png,Doe, Jane", "row 2: 13 cells ... quotation"),
    changed(
        "a comma in quotes",
        "a.png,s1",
        'a.png,"Doe, Jane"',
        right={"images.subject_id": ["Doe, Jane", "s2"]},
    ),
    changed("a quote that never closes", "a.png,s1", 'a.png,"s1', "row 2 ... quotation"),
    text(
        "a quote that closes in the next row",
        PLAIN.replace("a.png,s1", 'a.png,"s1').replace("b.png,s2", 'b.png,s2"'),
        "row 2 ... quotation",
    ),
    changed("a line break in a cell", "a.png,s1", 'a.png,"s\n1"', "row 2 ... line break"),
    changed("letters behind a quote", "a.png,s1", 'a.png,"s"1', "row 2 ... quotation marks"),
    text("a comment", PLAIN + "# end of part 1\n", "row 4: 1 cells ... delete comments"),
    text(
        "rows are counted as editors do",
        PLAIN.replace("\n", "\n\n", 1).replace("b.png,s2", "b.png,"),
        "row 4: subject_id is empty",
    ),
    text("the index of a data frame", f",{PLAIN}".replace("\na", "\n0,a").replace("\nb", "\n1,b")),
    text("two tables joined", PLAIN + PLAIN.replace("a.png", "c.png"), "row 4 ... path: no such"),
    text("a header alone", PLAIN.split("\n")[0] + "\n", "faces.csv: no rows below the header"),
    text("an empty file", "", "faces.csv: is empty ... header"),
    text("blanks alone", " \n\n", "faces.csv: is empty"),
]

HEADERS = [
    column(
        "a column twice",
        "column 'subject_id' is there twice ... rename one",
        head="path,subject_id,subject_id",
        rows=("a.png,s1,x",),
    ),
    column(
        "a column twice but for a blank",
        "column 'subject_id' is there twice",
        head="path,subject_id,subject_id ",
        rows=("a.png,s1,x",),
    ),
    column(
        "a column without a name",
        "column 3 has no name",
        head="path,subject_id,",
        rows=("a.png,s1,x",),
    ),
    *(
        column(
            f"column {name!r}",
            f"column {name!r} is nearly '{ours}' ... write '{ours}'",
            head=f"path,subject_id,{name}",
            rows=("a.png,s1,2",),
        )
        for name, ours in [
            ("Range", "range"),
            ("VOLUME", "volume"),
            ("ranges", "range"),
            ("offest", "offset"),
            ("sesion", "session"),
            ("Pair ID", "pair_id"),
            ("pairid", "pair_id"),
            ("box-x", "box_x"),
        ]
    ),
    column(
        "a column of another kind", head="path,subject_id,camera", rows=("a.png,s1,x", "b.png,s2,y")
    ),
    column("no subject", "no column 'subject_id' ... columns:", head="path,person"),
    text("sep= of Excel", "sep=,\n" + PLAIN, "row 1 ... delete this line"),
]

MAPPED = [
    column("columns of other names", head="Datei,Person", columns=GERMAN, defaults=MODAL),
    column(
        "columns with blanks",
        head="Datei ,Person",
        columns={**GERMAN, "path": " Datei"},
        defaults=MODAL,
    ),
    column(
        "mapped over a column",
        "'subject_id' from 'person', but there is a column ... rename",
        head="path,subject_id,person",
        rows=("a.png,s1,x",),
        columns={"subject_id": "person"},
        defaults=MODAL,
    ),
    column(
        "two of ours from one of theirs",
        "from 'who' ... of its own",
        head="path,who",
        columns={"subject_id": "who", "session": "who"},
        defaults=MODAL,
    ),
    column(
        "a column taken away",
        "'condition' from 'session' ... of its own",
        head="path,subject_id,session",
        rows=("a.png,s1,x",),
        columns={"condition": "session"},
    ),
    column(
        "an unknown key of columns",
        "columns: ... 'subjectid' ... is it 'subject_id'?",
        head="path,who",
        columns={"subjectid": "who"},
    ),
    column(
        "a column that is not there",
        "no column 'whom' ... 'subject_id' ... is it 'who'?",
        head="path,who",
        columns={"subject_id": "whom"},
    ),
    column(
        "an unknown default",
        "defaults: ... 'modalty' ... is it 'modality'?",
        defaults={"modalty": "thermal"},
    ),
    column(
        "a default person",
        "defaults: cannot have 'subject_id'",
        head="path,x",
        defaults={**MODAL, "subject_id": "s1"},
    ),
    column(
        "a default list",
        "defaults.volume is [1] ... str or int or float",
        defaults={**MODAL, "volume": [1]},
    ),
    column("a default of yes", "defaults.volume is True", defaults={**MODAL, "volume": True}),
    column("a default number", right={"images.volume": [2, 2]}, defaults={**MODAL, "volume": 2}),
    column("an empty default", "defaults: session is empty", defaults={**MODAL, "session": " "}),
    column("a default volume of no number", "volume is 'one'", defaults={**MODAL, "volume": "one"}),
    column("no modality anywhere", "no column 'modality' ... defaults:", defaults={}),
]

ENCODINGS = [
    text("UTF-8 with a mark", codecs.BOM_UTF8 + PLAIN.encode()),
    text("UTF-16", PLAIN.encode("utf-16")),
    text("UTF-16, big end first", codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be")),
    text("UTF-16 without a mark", PLAIN.encode("utf-16-le"), "NUL bytes ... CSV in UTF-8"),
    text("UTF-32", PLAIN.encode("utf-32"), "faces.csv ... in UTF-8"),
    text("cp1252", PLAIN.replace("s1", "René").encode("cp1252"), "row 2: byte 0xe9 ... UTF-8"),
    text("NUL bytes", PLAIN.replace("s1", "s\0"), "NUL bytes"),
    text("semicolons", PLAIN.replace(",", ";")),
    text("tabs", PLAIN.replace(",", "\t")),
    text(
        "semicolons and decimal commas",
        PLAIN.replace(",", ";").replace("19.5", "19,5"),
        "row 2 ... nose_base_x is '19,5' ... point",
    ),
    text(
        "two separators", PLAIN.replace(",", ";", 1), "row 1: the header has commas and semicolons"
    ),
    text("bars", PLAIN.replace(",", "|"), "no column 'path'"),
    text("line ends of old Macs", PLAIN.replace("\n", "\r")),
    text("line ends of Windows", PLAIN.replace("\n", "\r\n")),
    text("an Excel file", b"PK\x03\x04" + bytes(40), "is an Excel workbook ... CSV in UTF-8"),
    text("an old Excel file", b"\xd0\xcf\x11\xe0" + bytes(40), "old Excel workbook ... CSV"),
    text("a Parquet table", b"PAR1" + bytes(40), "is a Parquet table ... CSV"),
    text("a picture", encode(texture(1)), "is a picture ... CSV"),
    Case("a folder", "is a folder ... manifest:", block={"manifest": "."}),
    Case("no manifest", "other.csv: no such manifest ... folder:", block={"manifest": "other.csv"}),
]

NFC, NFD = "caf\u00e9.png", unicodedata.normalize("NFD", "caf\u00e9.png")
PATHS = [
    path("a folder of its own", "deep/c.png", **{"deep/c.png": texture(9)}),
    path("blanks in a name", "my face.png", **{"my face.png": texture(9)}),
    path("two blanks in a name", "my  face.png", **{"my  face.png": texture(9)}),
    path("blanks around a path", " c.png ", **{"c.png": texture(9)}),
    path("dots", "deep/../c.png", **{"deep/d.png": texture(8), "c.png": texture(9)}),
    path("composed name, decomposed file", NFC, **{NFD: texture(9)}),
    path("decomposed name, composed file", NFD, **{NFC: texture(9)}),
    path(
        "backslashes",
        "deep\\c.png",
        "row 2 ... write / for \\: deep/c.png",
        **{"deep/c.png": texture(9)},
    ),
    path("another case", "C.PNG", "row 2 ... there is 'c.png'", **{"c.png": texture(9)}),
    path("no suffix", "c", "row 2 ... there is 'c.png'", **{"c.png": texture(9)}),
    path("home", "~/c.png", "row 2 ... no such image file ... ~"),
    path("a web address", "https://example.org/c.png", "row 2 ... download it"),
    path("a folder for a file", "deep", "row 2 ... is a folder", **{"deep/c.png": texture(9)}),
    path("an empty path", "", "row 2: path is empty"),
    path("a missing file", "gone.png", "row 2 ... gone.png: no such image file ... correct"),
    path("a name too long", "x" * 300 + ".png", "row 2 ... no such image file"),
]

CASES = CELLS + VISIBLE + ROWS + HEADERS + MAPPED + ENCODINGS + PATHS
