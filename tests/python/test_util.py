import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tornado
from tornado.util import (
    Configurable,
    GzipDecompressor,
    ObjectDict,
    _websocket_mask_python,
    errno_from_exception,
    import_object,
    raise_exc_info,
)


def test_a_missing_attribute_of_an_object_dict_is_an_attribute_error():
    point = ObjectDict(x=1)
    assert not hasattr(point, "y")
    assert getattr(point, "y", 5) == 5


def test_an_import_error_inside_a_module_is_not_taken_for_a_missing_name(tmp_path, monkeypatch):
    package = tmp_path / "broken_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").write_text("import no_such_module_anywhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="no_such_module_anywhere"):
        import_object("broken_package.inner")


def test_a_module_that_is_not_imported_yet_is_found_by_name():
    assert import_object("xml.dom.minidom").__name__ == "xml.dom.minidom"


def test_raise_exc_info_without_an_exception_is_a_type_error():
    with pytest.raises(TypeError):
        raise_exc_info((None, None, None))


def test_errno_comes_from_the_attribute_or_the_first_argument():
    assert errno_from_exception(OSError(5, "x")) == 5
    assert errno_from_exception(Exception(7)) == 7
    assert errno_from_exception(Exception()) is None


def test_configure_refuses_a_class_that_is_no_subclass():
    class Base(Configurable):
        @classmethod
        def configurable_base(cls):
            return Base

    with pytest.raises(ValueError):
        Base.configure(dict)
    with pytest.raises(ValueError):
        Base.configure("collections.OrderedDict")


def test_gzip_gives_no_more_than_asked_and_keeps_the_rest():
    import gzip

    unpacker = GzipDecompressor()
    first = unpacker.decompress(gzip.compress(b"x" * 1000), 10)
    assert first == b"x" * 10
    assert unpacker.unconsumed_tail
    assert len(first + unpacker.decompress(unpacker.unconsumed_tail)) == 1000


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1000])
def test_masking_combines_each_byte_with_one_of_four(size):
    mask, data = bytes([1, 2, 3, 255]), os.urandom(size)
    assert _websocket_mask_python(mask, data) == bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


@pytest.mark.parametrize("mask", [b"", b"abc", b"abcde"])
def test_a_mask_of_another_length_than_four_is_refused(mask):
    with pytest.raises(ValueError):
        _websocket_mask_python(mask, b"data")


def test_masking_takes_time_in_proportion_to_the_data():
    def seconds(size):
        data = bytes(size)
        begin = time.perf_counter()
        _websocket_mask_python(b"abcd", data)
        return time.perf_counter() - begin

    small = min(seconds(100_000) for _ in range(5))
    assert min(seconds(3_200_000) for _ in range(3)) < 32 * 8 * small


def test_the_environment_can_insist_on_the_extension_or_forbid_it():
    directory = str(Path(tornado.__file__).parent.parent)

    def run(**environment):
        code = "import sys; sys.modules['tornado.speedups'] = None; import tornado.util"
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": directory, **environment},
            capture_output=True,
            text=True,
        )

    assert run().returncode == 0
    assert run(TORNADO_EXTENSION="0").returncode == 0
    assert run(TORNADO_NO_EXTENSION="1").returncode == 0
    insisting = run(TORNADO_EXTENSION="1")
    assert insisting.returncode == 1 and "ModuleNotFoundError" in insisting.stderr
