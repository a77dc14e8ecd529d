"""The prefix of a generated library's names, so that several fit one program.

The templates say `net_`, `NET_` and net.h throughout, and `hil_` for what is the
library's own; another prefix takes their place when all is rendered, so that no
template can forget one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from codegen.errors import SpecError

DEFAULT = "net"
LONGEST = 40
"""Characters: names stay readable, and far below every linker's limit."""

_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t
char16_t char32_t class co_await co_return co_yield compl concept const const_cast
consteval constexpr constinit continue decltype default delete do double dynamic_cast
else enum explicit export extern false float for friend goto if inline int long mutable
namespace new noexcept not not_eq nullptr operator or or_eq private protected public
register reinterpret_cast requires restrict return short signed sizeof static
static_assert static_cast struct switch template this thread_local throw true try
typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile
wchar_t while xor xor_eq
"""
"""Of C and of C++."""

_HEADERS = """
assert complex ctype dirent endian errno fcntl fenv float glob grp iconv inttypes
iso646 langinfo libgen limits link locale malloc math memory netdb poll pthread pwd
regex riscv_vector sched search semaphore setjmp signal spawn stab stdalign stdarg
stdatomic stdbool stdbit stdckdint stddef stdint stdio stdlib stdnoreturn string strings
syslog termios tgmath threads time uchar ulimit unistd utime wchar wctype wordexp
"""
"""NAME.h of the C library or of a system: a file of ours in its place is found first."""

_TYPES = """
blkcnt blksize clock cnd dev div errno fpos fsblkcnt fsfilcnt gid id
imaxdiv ino intmax intptr key ldiv lldiv max_align mbstate mode mqd mtx nlink off once
pid ptrdiff rlim rsize sa_family sig_atomic siginfo sigset size socklen ssize stack
suseconds thrd timer tss uid uintmax uintptr wctrans wint
"""
"""NAME_t is a type of the C library or of POSIX."""

_INTEGERS = re.compile(r"u?int(_least|_fast)?\d+")
_OWN = re.compile(
    r"\b(net_|NET_|hil_|HIL_(?=\w+_H\b)|net(?=\.[ch]\b))"
    r"(?!\w*\.\w\.j2)"  # a template's name is its own
)


def check(prefix: str) -> str:
    """`prefix`, when names may begin with it.

    Raises `SpecError` with the reason when they may not.
    """
    wrong = _wrong(prefix)
    if wrong:
        raise SpecError(
            f"prefix {prefix!r} {wrong}",
            "a prefix is a name such as digits, which makes digits.h, digits_init, DIGITS_INPUTS",
        )
    return prefix


def _wrong(prefix: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix):
        return (
            "is no C identifier: expected letters, digits and underscores, "
            "and no digit first"
        )
    if len(prefix) > LONGEST:
        return f"has {len(prefix)} characters: expected at most {LONGEST}"
    lower = prefix.lower()
    if prefix in _KEYWORDS.split():
        return "is a keyword of C or C++"
    if prefix.startswith("_") or "__" in f"{prefix}_":
        return (
            "is reserved: names that begin with an underscore, or have two in a row, "
            "are the compiler's"
        )
    if lower == "hil" or lower.startswith("hil_"):
        return "is reserved: the kernels' names begin so"
    if lower in _HEADERS.split():
        return f"is taken: {lower}.h is a header of the system"
    if prefix in _TYPES.split() or _INTEGERS.fullmatch(prefix):
        return f"is taken: {prefix}_t is a type of the system"
    return None


def renamed(files: Mapping[str, str], prefix: str) -> dict[str, str]:
    """A rendered library, file name -> text, whose names begin with `prefix`: net_step
    is PREFIX_step, NET_INPUTS is PREFIX_INPUTS in capitals, net.h is PREFIX.h, and
    hil_kernels.h, which only the library sees, is hil_PREFIX_kernels.h.

    Raises `SpecError` as `check`.
    """
    if check(prefix) == DEFAULT:
        return dict(files)
    names = {
        "net_": f"{prefix}_", "NET_": f"{prefix.upper()}_", "net": prefix,
        "hil_": f"hil_{prefix}_", "HIL_": f"HIL_{prefix.upper()}_",
    }  # fmt: skip

    def rename(text: str) -> str:
        return _OWN.sub(lambda found: names[found[1]], text)

    return {rename(name): rename(text) for name, text in sorted(files.items())}
