/* A port whose line is standard input and output: every good frame that comes
 * in goes out again. For tests of the codec alone, under sanitizers. */
#include <stdio.h>
#include <string.h>

#include "hil_frame.h"
#include "hil_port.h"

void hil_port_write(const uint8_t *data, size_t size)
{
    fwrite(data, 1, size, stdout);
}

int main(void)
{
    static uint8_t body[600];
    static uint8_t copy[600 + HIL_CRC_BYTES];
    struct hil_decoder decoder;
    int byte;

    hil_decoder_init(&decoder, body, sizeof body);
    while ((byte = getchar()) != EOF) {
        const size_t size = hil_decoder_push(&decoder, (uint8_t)byte);
        if (size > 0) {
            memcpy(copy, body, size);
            hil_frame_send(copy, size);
        }
    }
    fprintf(stderr, "%u\n", (unsigned)decoder.damaged);
    return 0;
}
