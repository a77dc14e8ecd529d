/* net_step in a loop, with nobody around it: what a step takes by itself.
 *
 * Reads its samples, each behind its label of two bytes, from the file that it is
 * given; learns them all, in order, as many times as it is told, each time from the
 * seed's weights. A line of each round: seconds, and seconds of the processor. Then one
 * of digest and loss after the last step, as bits; the state goes into the second file. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"

enum { LABEL = 2, EACH = LABEL + NET_INPUTS * sizeof(net_sample_t) };

static net_t net;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static unsigned bits_of(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static int learn(const net_sample_t *samples, const unsigned short *labels,
                 size_t count, float eta, float *loss)
{
    for (size_t k = 0; k < count; k++) {
        const int status = net_step(&net, samples + k * NET_INPUTS, labels[k], eta, loss);
        if (status != NET_OK) {
            return status;
        }
    }
    return NET_OK;
}

/* Samples, state, steps, rounds, seed, learning rate. */
int main(int argc, char **argv)
{
    if (argc != 7) {
        return 2;
    }
    const size_t count = strtoul(argv[3], NULL, 10);
    const float eta = strtof(argv[6], NULL);
    const unsigned seed = (unsigned)strtoul(argv[5], NULL, 10);
    net_sample_t *samples = malloc(count * NET_INPUTS * sizeof *samples);
    unsigned short *labels = malloc(count * sizeof *labels);
    FILE *file = fopen(argv[1], "rb");
    float loss = 0.0f;

    if (samples == NULL || labels == NULL || file == NULL) {
        return 1;
    }
    for (size_t k = 0; k < count; k++) {
        unsigned char given[EACH];
        if (fread(given, EACH, 1, file) != 1) {
            return 1;
        }
        labels[k] = (unsigned short)(given[0] | given[1] << 8);
        memcpy(samples + k * NET_INPUTS, given + LABEL, EACH - LABEL);
    }
    for (long round = strtol(argv[4], NULL, 10); round > 0; round--) {
        if (net_init(&net, seed) != NET_OK) {
            return 1;
        }
        const double wall = now(CLOCK_MONOTONIC), busy = now(CLOCK_PROCESS_CPUTIME_ID);
        if (learn(samples, labels, count, eta, &loss) != NET_OK) {
            return 1;
        }
        printf("%.9f %.9f\n", now(CLOCK_MONOTONIC) - wall,
               now(CLOCK_PROCESS_CPUTIME_ID) - busy);
    }
    printf("%08x %08x\n", (unsigned)net_digest(&net), bits_of(loss));
    FILE *state = fopen(argv[2], "wb");
    return state == NULL || fwrite(&net.state, sizeof net.state, 1, state) != 1 ||
           fclose(state) != 0;
}
