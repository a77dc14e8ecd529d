/* Port of a process: the same firmware on the computer at hand, or on a Linux board.
 *
 *     image --listen-fd N    serve connections to listening socket N, one by one
 *     image --fd N           serve file descriptor N, such as a pty's master
 *     image --stdio          read descriptor 0 and write descriptor 1, as ssh gives
 *                            them; a serial console must be raw: stty raw -echo
 *
 *     --flash FILE           checkpoints go into this file
 *     --cut N MODEL          lose the power at flash operation N: flash.c
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "hil_config.h"
#include "hil_port.h"
#include "hil_runtime.h"
#include "host_counters.h"
#include "host_flash.h"

static int line = -1;
static int answers = -1; /* where to write; the same but for --stdio */
static int listening = -1;

/* What the kernel has given and nobody has asked for yet: a system call for
 * every few bytes would take longer than to learn from them. */
static struct {
    uint8_t bytes[1 << 14];
    size_t at, end;
} in;

/* The stack below hil_port_init is painted, so that its deepest use can be seen.
 * What libc uses is not the firmware's: whoever calls it looks before at what was
 * used so far, and paints anew after. */
enum { STACK_PAINT = 0x5aa55aa5, PAINTED = 1 << 14 };
static volatile uint32_t *top;     /* where the painted stack begins */
static volatile uint32_t *deepest; /* the lowest word of it that was used */

_Static_assert(sizeof line == HIL_LINE_BYTES && sizeof answers == HIL_ANSWERS_BYTES &&
                   sizeof listening == HIL_LISTENING_BYTES && sizeof in == HIL_IN_BYTES &&
                   sizeof top == HIL_TOP_BYTES && sizeof deepest == HIL_DEEPEST_BYTES,
               "ram.toml says other sizes");

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#if SANITIZED /* what lies below the stack is poisoned then */
static void look(void)
{
}

static void host_paint(void)
{
}
#else
static __attribute__((noinline)) void look(void)
{
    volatile uint32_t *at = top - PAINTED / sizeof *at;

    while (at < deepest && *at == STACK_PAINT) {
        at++;
    }
    deepest = at;
}

/* As long a frame as is painted: nothing of the caller's is overwritten. */
static __attribute__((noinline)) void host_paint(void)
{
    volatile uint32_t paint[PAINTED / sizeof(uint32_t)];

    for (size_t i = 0; i < PAINTED / sizeof *paint; i++) {
        paint[i] = STACK_PAINT;
    }
}
#endif

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "host port: %s: %s\n", what, strerror(errno));
    exit(8);
}

static void serve_next(void)
{
    const int at_once = 1;

    line = answers = accept(listening, NULL, NULL);
    if (line < 0 || setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once) < 0) {
        die("accept");
    }
}

/* The host has closed the line. On a socket it may come again, as on a board whose
 * adapter was unplugged; what was under way is lost. */
static void hung_up(void)
{
    if (listening < 0) {
        hil_port_exit(0);
    }
    (void)close(line);
    serve_next();
}

/* A read or write has failed: for good, or may it be tried again? */
static void check_line(const char *what)
{
    if (errno == EIO || errno == EPIPE || errno == ECONNRESET) {
        hung_up();
    } else if (errno != EINTR && errno != EAGAIN) {
        die(what);
    }
}

static _Noreturn void usage(const char *name)
{
    fprintf(stderr,
            "usage: %s --fd N | --listen-fd N | --stdio [--flash FILE [--cut N MODEL]]\n",
            name);
    exit(2);
}

enum { EXIT_FAULT = 7 }; /* the host's exit code for a device fault */

/* Reads and forgets what the host still sends, until it is silent: who ends with
 * bytes unread resets the line, and what was said last may be lost. */
static void drain(void)
{
    enum { SILENCE = 200 }; /* milliseconds */
    struct pollfd ready = { .fd = line, .events = POLLIN };

    while (poll(&ready, 1, SILENCE) > 0 && read(line, in.bytes, sizeof in.bytes) > 0) {
    }
}

/* Comes in the midst of a step, never of a call of libc; calls nothing that a
 * signal may not. Where it came is not known: no portable way tells the pc. */
static void on_watchdog(int signal_number)
{
    (void)signal_number;
    hil_runtime_fault(HIL_CAUSE_WATCHDOG, 0, 0);
    drain();
    _exit(EXIT_FAULT);
}

void hil_port_init(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* write tells */
    signal(SIGVTALRM, on_watchdog);
    for (int i = 1; i < argc; i += 2) {
        const char *const option = argv[i];
        if (strcmp(option, "--stdio") == 0) {
            line = STDIN_FILENO;
            answers = STDOUT_FILENO;
            i--;
        } else if (i + 1 < argc && strcmp(option, "--fd") == 0) {
            line = answers = atoi(argv[i + 1]);
        } else if (i + 1 < argc && strcmp(option, "--listen-fd") == 0) {
            listening = atoi(argv[i + 1]);
        } else if (i + 1 < argc && strcmp(option, "--flash") == 0) {
            host_flash_open(argv[i + 1]);
        } else if (i + 2 < argc && strcmp(option, "--cut") == 0) {
            host_flash_cut((uint32_t)strtoul(argv[i + 1], NULL, 10), argv[i + 2]);
            i++;
        } else {
            usage(argv[0]);
        }
    }
    if (listening >= 0) {
        serve_next();
    } else if (line < 0) {
        usage(argv[0]);
    }
    host_counters_open();
    top = deepest = __builtin_frame_address(0);
    host_paint();
}

void hil_port_wait(void)
{
    struct pollfd ready = { .fd = line, .events = POLLIN };

    look();
    if (in.at == in.end && poll(&ready, 1, -1) < 0 && errno != EINTR) {
        die("poll");
    }
    host_paint();
}

/* Read what is there, at once. */
static void refill(void)
{
    struct pollfd ready = { .fd = line, .events = POLLIN };

    if (poll(&ready, 1, 0) <= 0) {
        return;
    }
    const ssize_t count = read(line, in.bytes, sizeof in.bytes);
    if (count == 0) {
        hung_up();
        return;
    }
    if (count < 0) {
        check_line("read");
        return;
    }
    in.at = 0;
    in.end = (size_t)count;
}

size_t hil_port_read(uint8_t *data, size_t size)
{
    if (in.at == in.end) {
        look();
        refill();
        host_paint();
    }
    const size_t left = in.end - in.at;
    const size_t count = size < left ? size : left;

    memcpy(data, in.bytes + in.at, count);
    in.at += count;
    return count;
}

void hil_port_write(const uint8_t *data, size_t size)
{
    look();
    while (size > 0) {
        const ssize_t count = write(answers, data, size);
        if (count < 0) {
            check_line("write");
            continue;
        }
        data += count;
        size -= (size_t)count;
    }
    host_paint();
}

void hil_port_mask_interrupts(bool masked)
{
    (void)masked; /* the kernel's are not ours */
}

/* By the time this process has computed: one that is not let run is not hung.
 * The call goes to the kernel and uses no stack worth a look. */
void hil_port_watchdog(bool armed)
{
    const long ms = armed ? HIL_WATCHDOG_MS : 0;
    const struct itimerval once = {
        .it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 },
    };

    setitimer(ITIMER_VIRTUAL, &once, NULL);
}

uint64_t hil_port_instructions(void)
{
    return host_counters_read().instructions;
}

uint64_t hil_port_cycles(void)
{
    return host_counters_read().cycles;
}

uint32_t hil_port_vlen(void)
{
#if defined(__riscv) && HIL_VECTOR
    unsigned long bytes; /* vlenb, by number: this half is compiled without V */

    __asm__ volatile("csrr %0, 0xc22" : "=r"(bytes));
    return (uint32_t)bytes * 8;
#else
    return 0;
#endif
}

uint32_t hil_port_stack(void)
{
    look();
    return (uint32_t)((uintptr_t)top - (uintptr_t)deepest);
}

uint32_t hil_port_overruns(void)
{
    return 0; /* the kernel keeps the bytes */
}

_Noreturn void hil_port_exit(uint32_t code)
{
    host_flash_report();
    exit(code < 255 ? (int)code : 255);
}
