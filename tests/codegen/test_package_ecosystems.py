"""Packages of ecosystems whose tools are not all to be had: each is checked with what
there is of them, and its C is compiled and run.

PlatformIO, whose core and builder (SCons) are Python packages, builds its package; where
its platform `native` is not installed (`pio pkg install --global --platform native`), which
comes from PlatformIO's own registry alone, a stand-in of three lines calls the compiler.
Zephyr's and ESP-IDF's functions of CMake have stand-ins, and so has Arduino's Serial.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.codegen.test_packages import FUSING, cmake, expected, told, tool, written
from tests.conftest import require

SERIAL = """
#include <cstdint>
#include <cstdio>
#define HEX 16
struct {
    void begin(long) {}
    explicit operator bool() const { return true; }
    void print(const char *text) { std::printf("%s", text); }
    void print(float value, int places) { std::printf("%.*f", places, double(value)); }
    void print(uint32_t value, int) { std::printf("%08x", value); }
    void println(const char *text) { std::printf("%s\\n", text); }
    void println(long value) { std::printf("%ld\\n", value); }
    void println(float value, int places) { print(value, places), println(""); }
} Serial;
"""
"""What of Arduino's Serial an example calls."""

ZEPHYR = """
set(CONFIG_HIL_NET y)
set(CONFIG_HIL_NET_SPEED y)
macro(zephyr_library_named name)
    set(library ${name})
    add_library(${library} STATIC)
endmacro()
macro(zephyr_include_directories)
    target_include_directories(${library} PUBLIC ${ARGN})
endmacro()
macro(zephyr_library_sources)
    target_sources(${library} PRIVATE ${ARGN})
endmacro()
macro(zephyr_library_compile_options)
    target_compile_options(${library} PRIVATE ${ARGN})
endmacro()
"""
IDF = """
set(CONFIG_HIL_NET_SPEED y)
function(idf_component_register)
    cmake_parse_arguments(ARG "" "" "SRCS;INCLUDE_DIRS;PRIV_INCLUDE_DIRS" ${ARGN})
    add_library(net STATIC ${ARG_SRCS})
    target_include_directories(net PUBLIC ${ARG_INCLUDE_DIRS} PRIVATE ${ARG_PRIV_INCLUDE_DIRS})
    set(COMPONENT_LIB net PARENT_SCOPE)
endfunction()
"""
"""What these do of what the packages ask of them."""

NATIVE = """
from SCons.Script import Default, DefaultEnvironment
env = DefaultEnvironment(tools=["gcc", "g++", "gnulink", "ar"])
Default([env.BuildProgram()])
"""
"""What PlatformIO's platform of that name does, as far as a package can tell."""

STANDINS = {
    "zephyr": (ZEPHYR, "sample/src/main.c"),
    "esp-idf": (IDF, "examples/learn/main/main.c"),
}


@pytest.mark.parametrize("kind", STANDINS)
def test_a_component_compiles_by_its_own_cmake_lists(
    tmp_path: Path, host_cc: str, kind: str
) -> None:
    """With the flags of a firmware around it that would change the bits."""
    folder, (functions, example) = written(tmp_path / "net", kind), STANDINS[kind]
    (tmp_path / "start.c").write_text(
        "void app_main(void);\nint main(void)\n{\n    app_main();\n    return 0;\n}\n"
    )
    start = "start.c" if "app_main" in (folder / example).read_text() else ""
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.16)\nproject(firmware C)\n{functions}\n"
        f"add_subdirectory(net)\nadd_executable(learn net/{example} {start})\n"
        "target_link_libraries(learn PRIVATE net m)\n"
    )
    done = cmake(tmp_path, f"-DCMAKE_C_FLAGS={' '.join(FUSING)}")
    assert done.returncode == 0, done.stdout
    said = told(tmp_path, tmp_path / "build" / "learn")
    assert f"{expected(folder)}, equal to numpy's" in said


@pytest.mark.parametrize("kind", STANDINS)
def test_kconfig_is_what_its_readers_take(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kconfiglib  # a set-up that is older than this test has none

    folder = written(tmp_path, kind, "--prefix", "digits")
    monkeypatch.chdir(folder)
    found = kconfiglib.Kconfig("Kconfig", warn_to_stderr=False)
    assert not found.warnings
    speed = found.syms["HIL_DIGITS_SPEED"]
    assert (speed.type, speed.nodes[0].help is not None) == (kconfiglib.BOOL, True)
    if kind == "zephyr":
        assert speed.str_value == "n", "nothing of a module that nobody asked for"
        found.load_config("sample/prj.conf")
    assert speed.str_value == "y"
    lists = (folder / "CMakeLists.txt").read_text()
    for name in found.syms:
        if name.startswith("HIL_"):
            assert f"CONFIG_{name}" in lists


def test_arduino_compiles_its_library_without_being_told_flags(
    tmp_path: Path, host_cc: str
) -> None:
    """As its builder does: every source of src, in GNU's dialect, and the sketch as
    C++."""
    folder = written(tmp_path / "net", "arduino")
    cxx = require(shutil.which("c++"), "c++", ".ci/apt.sh")
    sources = sorted(folder.glob("src/**/*.c"))
    objects = [tmp_path / f"{source.stem}.o" for source in sources]
    for source, made in zip(sources, objects, strict=True):
        told(folder, host_cc, "-std=gnu11", *FUSING, "-Isrc", "-c", source, "-o", made)
    sketch = (folder / "examples" / "learn" / "learn.ino").read_text()
    main = "\nint main()\n{\n    setup();\n    loop();\n}\n"
    (tmp_path / "sketch.cpp").write_text(SERIAL + sketch + main)
    flags = ("-std=gnu++11", "-Wall", "-Wextra", "-Werror", f"-I{folder / 'src'}")
    told(tmp_path, cxx, *flags, "sketch.cpp", *objects, "-lm", "-o", "sketch")
    said = told(tmp_path, tmp_path / "sketch")
    assert f"digest {expected(folder)}, equal to numpy's" in said


def test_the_manifest_of_arduino_has_what_its_specification_asks_for(
    tmp_path: Path,
) -> None:
    folder = written(tmp_path, "arduino", "--prefix", "digits")
    lines = (folder / "library.properties").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    asked = "name version author maintainer sentence paragraph category architectures"
    assert set(asked.split()) <= set(found) and all(found.values())
    assert (folder / "src" / found["includes"]).exists()


def test_the_manifest_of_platformio_names_what_there_is(tmp_path: Path) -> None:
    folder = written(tmp_path, "platformio", "--prefix", "digits")
    found = json.loads((folder / "library.json").read_text())
    assert (folder / found["build"]["includeDir"] / found["headers"]).exists()
    assert (folder / found["build"]["srcDir"] / "digits.c").exists()
    for one in found["examples"]:
        assert all((folder / one["base"] / file).exists() for file in one["files"])


def test_platformio_accepts_the_manifest(tmp_path: Path) -> None:
    """But for the name of the licence, which it looks up elsewhere."""
    from platformio.package.manifest.parser import ManifestParserFactory
    from platformio.package.manifest.schema import ManifestSchema

    folder = written(tmp_path, "platformio")
    found = ManifestParserFactory.new_from_dir(str(folder)).as_dict()
    assert found.pop("license") == "Apache-2.0"
    assert ManifestSchema().load_manifest(found)["name"] == "net"


@pytest.fixture
def pio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PlatformIO, which has all that it needs to build for this computer."""
    from platformio.dependencies import get_core_dependencies

    monkeypatch.setenv("PLATFORMIO_SETTING_ENABLE_TELEMETRY", "no")
    usual = os.environ.get("PLATFORMIO_CORE_DIR", Path.home() / ".platformio")
    if not (Path(usual) / "platforms" / "native").is_dir():
        core, wanted = tmp_path / "core", get_core_dependencies()["tool-scons"]
        has(core / "packages" / "tool-scons", "tool-scons", wanted.strip("~^="))
        start = "import SCons.Script\n\nSCons.Script.main()\n"
        (core / "packages" / "tool-scons" / "scons.py").write_text(start)
        native = core / "platforms" / "native"
        has(native, "native", "1.0.0")
        (native / "platform.json").write_text(
            json.dumps({"name": "native", "version": "1.0.0", "title": "a stand-in"})
        )
        (native / "builder").mkdir()
        (native / "builder" / "main.py").write_text(NATIVE)
        monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(core))
    return Path(tool("pio"))


def has(folder: Path, name: str, version: str) -> None:
    """A package of PlatformIO's, as its manager leaves one that it has installed."""
    kind = "platform" if folder.parent.name == "platforms" else "tool"
    spec = {
        "owner": "platformio",
        "id": None,
        "name": name,
        "requirements": None,
        "uri": None,
    }
    folder.mkdir(parents=True)
    (folder / ".piopm").write_text(
        json.dumps({"type": kind, "name": name, "version": version, "spec": spec})
    )
    (folder / "package.json").write_text(json.dumps({"name": name, "version": version}))


@pytest.mark.parametrize("prefix", ["net", "digits"])
def test_platformio_builds_the_example_and_it_learns(
    tmp_path: Path, host_cc: str, pio: Path, prefix: str
) -> None:
    """With flags of a user that would change the bits."""
    folder = written(tmp_path / "made", "platformio", "--prefix", prefix)
    project = folder / "examples" / "learn"
    with (project / "platformio.ini").open("a") as settings:
        settings.write(f"    {' '.join(FUSING)}\n")
    told(project, pio, "run", "-e", "native")
    said = told(project, project / ".pio" / "build" / "native" / "program")
    assert f"{expected(folder)}, equal to numpy's" in said


def test_esp_idf_accepts_the_manifests(tmp_path: Path) -> None:
    """By its component manager."""
    pytest.importorskip(
        "idf_component_tools", reason="pip install idf-component-manager"
    )
    from idf_component_tools.manager import ManifestManager

    folder = written(tmp_path, "esp-idf")
    for path in (folder, folder / "examples" / "learn" / "main"):
        manager = ManifestManager(str(path), "net")
        assert manager.validate().load() is not None


def test_an_example_names_the_folder_of_its_package(tmp_path: Path) -> None:
    """The sample of Zephyr and the example of ESP-IDF name their package's folder."""
    for kind, file, named in (
        ("zephyr", "sample/CMakeLists.txt", ".."),
        ("esp-idf", "examples/learn/main/idf_component.yml", "../../.."),
    ):
        folder = written(tmp_path / kind, kind)
        assert named in (folder / file).read_text()
        assert ((folder / file).parent / named).resolve() == folder
