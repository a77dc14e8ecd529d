/* Linked into what tests/coverage/counting-cc makes: a process that kills itself, as
 * the host port does where the power is lost, or ends without its exit handlers, as it
 * does after a watchdog, writes its counts before. */
#include <signal.h>
#include <unistd.h>

int __llvm_profile_write_file(void);
int __real_raise(int signal_number);
_Noreturn void __real__exit(int code);

int __wrap_raise(int signal_number)
{
    (void)__llvm_profile_write_file();
    return __real_raise(signal_number);
}

_Noreturn void __wrap__exit(int code)
{
    (void)__llvm_profile_write_file();
    __real__exit(code);
}
