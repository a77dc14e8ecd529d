/* An image that asks the host for all that semihosting offers, then ends with 42. */
typedef __UINTPTR_TYPE__ word;

enum { OPEN = 0x01, WRITE = 0x05, REMOVE = 0x0e, RENAME = 0x0f, SYSTEM = 0x12,
       EXIT = 0x20 };

static word call(word operation, const word *block)
{
#ifdef __riscv
    register word a0 __asm__("a0") = operation;
    register const word *a1 __asm__("a1") = block;
    __asm__ volatile(".option push\n\t.option norvc\n\t.balign 16\n\t"
                     "slli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
                     : "+r"(a0) : "r"(a1) : "memory");
    return a0;
#else
    register word r0 __asm__("r0") = operation;
    register const word *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

#define TEXT(text) (word)(text), sizeof text - 1

void hostile(void);
void hostile(void)
{
    const word opened[] = { (word)MADE, 4 /* "w" */, sizeof MADE - 1 };
    word handle = call(OPEN, opened);
    const word written[] = { handle, TEXT("here I was\n") };
    const word command[] = { TEXT("touch " RUN) };
    const word removed[] = { TEXT(VICTIM) };
    const word renamed[] = { TEXT(OTHER), TEXT(OTHER ".moved") };
    const word ending[] = { 0x20026, 42 };

    call(WRITE, written);
    for (handle = 1; handle < 8; handle++) {
        const word guessed[] = { handle, TEXT("here I was\n") };
        call(WRITE, guessed);
    }
    call(SYSTEM, command);
    call(REMOVE, removed);
    call(RENAME, renamed);
    call(EXIT, ending);
    for (;;) {
    }
}

#ifdef __riscv
__asm__(".section .first, \"ax\"\n.global _start\n_start:\n\tla sp, stack\n\tj hostile\n");
#else
__asm__(".section .first, \"a\"\n.word stack\n.word hostile\n");
#endif
