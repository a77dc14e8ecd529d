/* `hil bench link`: blocks of bytes back as they are, through the very same
 * port but without frames, CRC or dispatch. What the line itself can carry.
 *
 * Knocks come back one by one until the last of them; then whole blocks, since
 * QEMU's UART is slower when it must listen and speak in turns. */
#include "hil_config.h"
#include "hil_port.h"
#include "hil_runtime.h"

#define LAST_KNOCK '!'

void hil_runtime_fault(uint32_t cause, uint64_t pc, uint64_t address)
{
    (void)cause;
    (void)pc;
    (void)address;
}

/* Receive until `block` is full, then send it back. */
static void echo(uint8_t *block, size_t size)
{
    for (size_t have = 0; have < size;) {
        const size_t count = hil_port_read(block + have, size - have);

        if (count == 0) {
            hil_port_wait();
        }
        have += count;
    }
    hil_port_write(block, size);
}

int main(int argc, char **argv)
{
    static uint8_t block[HIL_MAX_PAYLOAD];

    hil_port_init(argc, argv);
    do {
        echo(block, 1);
    } while (block[0] != LAST_KNOCK);
    for (;;) {
        echo(block, sizeof block);
    }
}
