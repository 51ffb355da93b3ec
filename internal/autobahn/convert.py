"""convert.py SRC DST: make a package for Python 3 of the Autobahn testsuite, which was written for Python 2.

SRC is the folder with the suite's fuzzing.py; DST/autobahntestsuite is made anew. Only what the fuzzing client for
sections 1 to 10 needs is taken: case/, caseset.py, report.py, fuzzing.py and testdata/.

In Python 2 a string is bytes. Here every file is declared latin-1, so that a string has one character per byte and the
cases' arithmetic on strings works as written. octets.py turns them into bytes where they leave for the wire.
"""
import pathlib
import re
import shutil
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
from lib2to3 import refactor  # noqa: E402

FIXERS = ["lib2to3.fixes.fix_" + name for name in (
    "dict", "except", "filter", "has_key", "import", "map", "ne", "numliterals", "print", "raise", "repr",
    "unicode", "xrange", "zip")]

# What the fixers cannot know: pattern of files -> [(expression, replacement, times it must be found at least)].
EDITS = {
    "case/*.py": [
        (r"\(object, Case, ?\)", "(Case,)", 0),  # Python 3 has no such order of bases
        (r"^import binascii$", "from autobahntestsuite import octets as binascii", 0),
    ],
    "case/__init__.py": [
        (r"^.*(case12_x_x|Case1[23]_X_X).*$", "", 5),  # compression is not negotiated
    ],
    "case/case.py": [
        # Equal objects need not have equal pickles any more.
        (r"pickle\.dumps\(obj1\) == pickle\.dumps\(obj2\)", "obj1 == obj2", 1),
    ],
    "case/case6_x_x.py": [
        (r"v\.validate\(vss\[:i\]\)", "v.validate(vss[:i].encode('latin-1'))", 1),
    ],
    "case/case9_9_1.py": [
        (r"^( *)(implements\(|from zope.*implements).*$", r"\1pass", 0),  # imported, never run
    ],
    "case/case10_1_1.py": [
        (r"len\(self\.payload\) / self", "len(self.payload) // self", 1),
    ],
    "caseset.py": [
        (r"'\\\.'", r"'\\\\.'", 2),
    ],
    "report.py": [
        (r"^import jinja2$|\nREPORT_DIR_PERMISSIONS[\s\S]*", "", 1),  # only the style sheets
    ],
    "fuzzing.py": [
        (r"os, json, binascii, time, textwrap, pkg_resources",
         "os, json, time, textwrap\nfrom autobahntestsuite import octets as binascii", 1),
        (r"\ndef binLogData[\s\S]*?\n\n\nclass ",
         "\nfrom .octets import Octets, asciiLogData, binLogData\n\n\nclass ", 1),
        (r"class FuzzingProtocol:", "class FuzzingProtocol(Octets):", 1),
        (r"''\.join\(payload\)", "b''.join(payload)", 1),
        # autobahn-python has renamed things since.
        (r"self\.failConnection\(\)", "self._fail_connection()", 1),
        (r"(WebSocket(?:Client|Server)Factory\.__init__\(self), debug = debug, debugCodePaths = debug\)",
         r"\1)", 2),
        (r"open\((os\.path\.join\(outdir, report_filename\)), 'w'\)",
         r"open(\1, 'w', encoding = 'utf-8', errors = 'replace')", 4),
        (r"json\.dumps\(case,", "json.dumps(case, default = binascii.text,", 1),
        (r"\.encode\(['\"]utf-?8['\"]\)\)", ")", 2),
        (r"(self\.onMessage|runCase\.onMessage)\(msg, binary\)", r"\1(binascii.text(msg), binary)", 1),
        (r"runCase\.onPong\(payload\)", "runCase.onPong(binascii.text(payload))", 1),
        # Only wss needs OpenSSL's bindings.
        (r"^from twisted\.internet import reactor, ssl", "from twisted.internet import reactor", 1),
        (r"^( +)self\.contextFactory = .*$", r"\1self.contextFactory = None", 0),
    ],
}


def edit(text, name):
    """Make the edits that are listed for the file, each as often as it must be."""
    for pattern, edits in EDITS.items():
        if not pathlib.PurePath("/suite", name).match(pattern):
            continue
        for expression, replacement, least in edits:
            text, found = re.subn(expression, replacement, text, flags=re.M)
            if found < least:
                sys.exit(f"{name}: {expression!r} found {found} times, not {least}")
    return text


def main(src, dst):
    src, dst = pathlib.Path(src), pathlib.Path(dst, "autobahntestsuite")
    shutil.rmtree(dst, ignore_errors=True)
    shutil.copytree(src / "testdata", dst / "testdata")
    (dst / "case").mkdir()
    version = re.search(r"__version__ = ['\"](.*)['\"]", (src / "_version.py").read_text()).group(1)
    (dst / "__init__.py").write_text(f"version = {version!r}\n")
    shutil.copy(pathlib.Path(__file__).with_name("octets.py"), dst)

    tool = refactor.RefactoringTool(FIXERS)
    files = [f for f in sorted(src.glob("case/*.py")) if f.name != "case12_x_x.py"]
    for path in files + [src / name for name in ("caseset.py", "report.py", "fuzzing.py")]:
        name = str(path.relative_to(src))
        text = path.read_bytes().decode("latin-1").replace("\r\n", "\n")
        text = re.sub(r"^#.*coding.*$", "#", text, flags=re.M)
        text = str(tool.refactor_string(text + "\n", str(path)))
        code = ("# -*- coding: latin-1 -*-\n" + edit(text, name)).encode("latin-1")
        compile(code, name, "exec")
        (dst / name).write_bytes(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
