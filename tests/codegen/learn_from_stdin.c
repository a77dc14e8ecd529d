/* A program that is not ours: it uses the generated library and nothing else.
 * Samples come from standard input as one label byte and the elements; a line
 * with the loss's bits and the digest goes out after each step. What net_init finds
 * is told and disregarded. */
#include <stdio.h>
#include <string.h>

#include "net.h"

int main(void)
{
    static net_t net;
    net_sample_t sample[NET_INPUTS];
    int label;

    const int unfit = net_init(&net, 7);
    if (unfit != NET_OK) {
        printf("net_init %d\n", unfit);
    }
    while ((label = getchar()) != EOF && fread(sample, sizeof sample, 1, stdin) == 1) {
        float loss;
        unsigned bits;
        const int status = net_step(&net, sample, (uint32_t)label, 0.03f, &loss);
        if (status != NET_OK) {
            printf("tensor %d\n", NET_CULPRIT(status));
            return 1;
        }
        memcpy(&bits, &loss, sizeof bits);
        printf("%08x %08x\n", bits, (unsigned)net_digest(&net));
    }
    return 0;
}
