#!/bin/sh
# Installs with apt what pip cannot: QEMU for RISC-V and Arm, and its user mode, a C
# compiler for this computer, make, Python's venv, and what the tests alone want: a
# second RISC-V compiler that the digests are checked against and that brings
# libFuzzer and its sanitizers for the decoders (the pinned compiler has none), its
# tools that read which conditions were taken, an llvm-mca that knows the cores whose
# cycles are modelled, a C++ compiler for the generated header,
# a debugger that knows every target, and an ssh daemon that stands for a board's.
#
#   .ci/apt.sh          install what is missing; one line per decision
#   .ci/apt.sh --check  install nothing; exit 1 when it would install something
#
# Does nothing for what is already there, never asks a question (but sudo may ask
# for a password at a terminal), and uses sudo only when not root. The second
# compiler, its tools, llvm-mca, C++, the debugger and the daemon are wanted, not needed: they
# alone are no reason to touch the system, but where CI is set, and where one cannot be
# had the script says so and goes on. Without CI only the second compiler of them is ever
# installed: a daemon would be started by that, and let people in.
set -eu

CLANGS="19 20 21 22 18 17"
MCAS="22 23 24 25"
WANTED="clang llvm mca c++ gdb sshd" # pieces that nothing but tests needs

has() { command -v "$1" >/dev/null 2>&1; }
has_sshd() { has ssh && { has sshd || [ -x /usr/sbin/sshd ]; }; }
say() { printf 'system packages: %s\n' "$*"; }
available() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

# One line per missing piece: the words by which it is known below.
missing() {
    if ! has qemu-system-riscv64 || ! has qemu-system-riscv32; then echo qemu; fi
    has qemu-system-arm || echo qemu-arm
    # macOS has no user mode, and does without
    [ "$(uname)" != Linux ] || has qemu-riscv64 || echo qemu-user
    has make || echo make
    has cc || echo cc
    "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || echo venv
    [ -n "${CI:-}" ] || return 0
    for piece in $WANTED; do
        if ! there "$piece" && [ -n "$(packages_of "$piece")" ]; then echo "$piece"; fi
    done
}

# Whether a wanted piece is here.
there() {
    case $1 in
    clang) has_second ;;
    c++) has g++ ;;
    llvm) has_coverage ;;
    mca) has_mca ;;
    gdb) has gdb-multiarch ;;
    sshd) has_sshd ;;
    esac
}

# Of these pieces, those that are needed.
needed() {
    for piece in "$@"; do
        case " $WANTED " in *" $piece "*) ;; *) echo "$piece" ;; esac
    done
}

# What the tests will do without.
say_absent() {
    has_clang || say "no clang >= 17 with lld here: the second compiler is not used"
    has_libfuzzer || say "no clang with libclang-rt here: the C decoders are not fuzzed"
    has g++ || say "no g++ here: the generated header is not tested in C++"
    has_coverage || say "no clang >= 18 with llvm-cov here: conditions are not counted"
    has_mca || say "no llvm-mca >= 22 here: cycles are modelled by the project's own tables"
    has gdb-multiarch || say "no gdb-multiarch here: what a debugger does is not tested"
    has_sshd || say "no ssh with its daemon here: boards over ssh are not tested"
}

# A clang >= 17 with its lld. One compiler and linker of the same number.
has_clang() {
    for number in $CLANGS; do
        if has "clang-$number" && has "ld.lld-$number"; then return 0; fi
    done
    has clang && has ld.lld || return 1
    major=$(clang -dumpversion | cut -d. -f1)
    [ "$major" -ge 17 ]
}

# A clang that links a fuzzer for this computer.
has_libfuzzer() {
    for name in clang $(printf 'clang-%s ' $CLANGS); do
        if has "$name" && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
            "$name" -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null; then
            return 0
        fi
    done
    return 1
}

# A clang >= 18, which counts conditions, and the tools of its number that read them.
has_coverage() {
    for number in $CLANGS; do
        if [ "$number" -ge 18 ] && has "clang-$number" && has "llvm-cov-$number" &&
            has "llvm-profdata-$number"; then
            return 0
        fi
    done
    has clang && has llvm-cov && has llvm-profdata || return 1
    major=$(clang -dumpversion | cut -d. -f1)
    [ "$major" -ge 18 ]
}

# An llvm-mca >= 22 and its llvm-objdump: older ones lack a core, or model it otherwise.
has_mca() {
    for number in $MCAS; do
        if has "llvm-mca-$number" && has "llvm-objdump-$number"; then return 0; fi
    done
    has llvm-mca && has llvm-objdump || return 1
    major=$(llvm-mca --version | sed -n 's/.*LLVM version \([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 22 ]
}

has_second() { has_clang && has_libfuzzer; }

clang_packages() {
    for number in $CLANGS; do
        if available "clang-$number" && available "lld-$number"; then
            echo "clang-$number lld-$number"
            if available "libclang-rt-$number-dev"; then
                echo "libclang-rt-$number-dev"
            fi
            return
        fi
    done
}

# Of the number that clang_packages takes.
llvm_packages() {
    set -- $(clang_packages)
    number=${1#clang-}
    if [ "${number:-0}" -ge 18 ] && available "llvm-$number"; then echo "llvm-$number"; fi
}

mca_packages() {
    for number in $MCAS; do
        if available "llvm-$number"; then
            echo "llvm-$number"
            return
        fi
    done
}

# Debian 13 gave RISC-V a package of its own.
qemu_packages() {
    if available qemu-system-riscv; then
        echo qemu-system-riscv
    else
        echo qemu-system-misc
    fi
}

packages_of() {
    case $1 in
    qemu) qemu_packages ;;
    qemu-arm) echo qemu-system-arm ;;
    qemu-user) echo qemu-user ;;
    make) echo make ;;
    cc) echo gcc libc6-dev ;;
    venv) echo python3-venv ;;
    clang) clang_packages ;;
    c++) if available g++; then echo g++; fi ;;
    llvm) llvm_packages ;;
    mca) mca_packages ;;
    gdb) if available gdb-multiarch; then echo gdb-multiarch; fi ;;
    sshd) if available openssh-server; then echo openssh-server openssh-client; fi ;;
    esac
}

apt() {
    set -- apt-get -q -o DPkg::Lock::Timeout=120 "$@"
    if [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive "$@"
    elif [ -t 0 ]; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

wanted=$(missing)
if [ "${1:-}" = "--check" ]; then
    [ -z "$wanted" ]
    exit
fi
if [ -z "$wanted" ]; then
    say "nothing to install"
    say_absent
    exit 0
fi
say "missing:" $wanted
if ! has apt-get; then
    say "no apt-get here; macOS: xcode-select --install, brew install qemu"
    say "elsewhere: qemu-system-riscv32, -riscv64 and -arm, qemu-riscv64, make, a C compiler"
    exit 1
fi
if [ "$(id -u)" -ne 0 ] && ! has sudo; then
    say "not root, and no sudo here: run .ci/apt.sh as root"
    [ -z "$(needed $wanted)" ]
    exit
fi

apt update
packages=
for piece in $(needed $(missing)); do
    found=$(packages_of "$piece")
    if [ -n "$found" ]; then
        say "$piece: installing" $found
        packages="$packages $found"
    else
        say "$piece: apt offers no package for it"
    fi
done
if [ -n "$packages" ]; then
    apt install -y --no-install-recommends $packages
    say "installed$packages"
fi
# Fresh lists may offer what the old ones did not; one that cannot be installed does
# not keep the others away.
for piece in $WANTED; do
    if there "$piece" || { [ "$piece" != clang ] && [ -z "${CI:-}" ]; }; then
        continue
    fi
    packages=$(packages_of "$piece")
    if [ -n "$packages" ] && apt install -y --no-install-recommends $packages; then
        say "installed" $packages ", which the tests want"
    fi
done
say_absent
