/* `hil bench link`: every byte back as it comes, through the very same port but
 * without frames, CRC or dispatch. What the line itself can carry. */
#include "hil_port.h"
#include "hil_runtime.h"

void hil_runtime_fault(uint32_t cause, uint64_t pc, uint64_t address)
{
    (void)cause;
    (void)pc;
    (void)address;
}

int main(int argc, char **argv)
{
    hil_port_init(argc, argv);
    for (;;) {
        uint8_t bytes[64];
        const size_t count = hil_port_read(bytes, sizeof bytes);

        if (count == 0) {
            hil_port_wait();
        }
        hil_port_write(bytes, count);
    }
}
