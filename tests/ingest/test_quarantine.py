import pytest

from thermalign.ingest.quarantine import Quarantined, read_quarantine, write_quarantine

LEFT_OUT = [
    Quarantined("Carl_annotations/05.xml", 17, "05/a.bmp", "lefteye_outer is named twice, so said"),
    Quarantined("a.png", 0, "a.png", "is saturated"),
]


@pytest.mark.parametrize("records", [LEFT_OUT, []])
def test_what_is_left_out_is_read_as_it_was_written(tmp_path, records):
    write_quarantine(tmp_path / "left_out.csv", records)
    assert read_quarantine(tmp_path / "left_out.csv") == records


def test_names_that_no_table_can_hold_are_spelt_out(tmp_path):
    named = [Quarantined("a\nb.bmp", 0, "\udcff\t.bmp", "M\u00fcller's, not read")]
    write_quarantine(tmp_path / "left_out.csv", named)
    told = Quarantined(r"a\nb.bmp", 0, r"\udcff\t.bmp", "M\u00fcller's, not read")
    assert read_quarantine(tmp_path / "left_out.csv") == [told]


def test_a_record_is_told_in_one_line():
    assert LEFT_OUT[0].told().startswith("Carl_annotations/05.xml row 17 (image 05/a.bmp): left")
    assert LEFT_OUT[1].told() == "a.png (image a.png): is saturated"


def test_another_table_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("path,subject_id\na.png,s1\n")
    with pytest.raises(ValueError, match=r"other\.csv: is no table of left-out records"):
        read_quarantine(tmp_path / "other.csv")


def test_a_row_that_is_no_number_is_refused(tmp_path):
    (tmp_path / "left_out.csv").write_text("file,row,image,reason\na.xml,first,a.png,is dark\n")
    with pytest.raises(ValueError, match=r"left_out\.csv row 2: row is 'first'"):
        read_quarantine(tmp_path / "left_out.csv")
