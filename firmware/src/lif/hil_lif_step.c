/* One step of the network: leak and input, thresholds, potentiation, depression, counters.
 * It visits the synapses of lines and cells that have spiked, and no others. */
#include "hil_lif.h"
#include "hil_memory.h"

enum { POINT = 10, MOST = 0x1ffff, LEAST = -0x20000, NEVER = 255 };

/* Beyond this a current decides a potential alone, so that no sum needs more bits. */
enum { LARGEST_CURRENT = 512 };

enum { LEAK_AT = 8 }; /* the one leak, of all cells */

/* Of the words of STDP: what a threshold rises by with a spike, and falls by in every step. */
enum { RISE_AT = 3, FALL_AT = 4 };

static int32_t clamp(int32_t value, int32_t least, int32_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int32_t byte_of(const struct hil_lif *net, size_t word, unsigned shift)
{
    return (uint32_t)net->parameters[3][word] >> shift & 0xff;
}

static int32_t change_of(const struct hil_lif *net, unsigned shift)
{
    return (int8_t)byte_of(net, 2, shift);
}

static bool is_plastic(const struct hil_lif *net, int layer, size_t cell, size_t from)
{
    const size_t bit =
        ((size_t)(layer == HIL_LIF_INPUT) * HIL_CELLS + cell) * HIL_CELLS + from;

    return net->plastic[bit / 8] >> (7 - bit % 8) & 1;
}

/* No cell is a cell's own source. */
static bool is_synapse(int layer, size_t cell, size_t from)
{
    return layer == HIL_LIF_INPUT || cell != from;
}

static void change(struct hil_lif *net, int layer, size_t cell, size_t from, int32_t by)
{
    int8_t *const weight = &net->weights[layer][cell][from];

    if (is_synapse(layer, cell, from) && is_plastic(net, layer, cell, from)) {
        *weight = (int8_t)clamp(*weight + by, INT8_MIN, INT8_MAX);
    }
}

static void add_currents(struct hil_lif *net, int layer, const uint8_t *spikes, int32_t gain)
{
    for (size_t from = 0; from < HIL_CELLS; from++) {
        for (size_t cell = 0; spikes[from] && cell < HIL_CELLS; cell++) {
            if (is_synapse(layer, cell, from)) {
                net->current[cell] += gain * net->weights[layer][cell][from];
            }
        }
    }
}

static void integrate(struct hil_lif *net)
{
    memset(net->current, 0, sizeof net->current);
    add_currents(net, HIL_LIF_INPUT, net->input, net->parameters[1][0] & 0xff);
    add_currents(net, HIL_LIF_RECURRENT, net->spiked, 1);
    for (size_t cell = 0; cell < HIL_CELLS; cell++) {
        const int32_t current =
            clamp(net->current[cell], -LARGEST_CURRENT, LARGEST_CURRENT);
        const int32_t bias = cell == (net->debug[1] & 0xff) ? net->debug[0] : 0;

        net->potential[cell] = clamp(net->potential[cell] - net->parameters[2][LEAK_AT] +
                                         bias + current * (1 << POINT),
                                     LEAST, MOST);
    }
}

static void fire(struct hil_lif *net)
{
    for (size_t cell = 0; cell < HIL_CELLS; cell++) {
        const bool rests = net->resting[cell] > 0;

        net->spiked[cell] = !rests && net->potential[cell] >= net->parameters[0][cell];
        if (rests) {
            net->resting[cell]--;
        } else if (net->spiked[cell]) {
            const int32_t steps = net->parameters[1][cell];
            net->potential[cell] = 0;
            net->resting[cell] = cell == 0 ? steps >> 8 : steps; /* there is the gain, too */
        }
    }
}

/* Synapses to cells that have spiked, from whoever spiked within `window` steps before. */
static void potentiate(struct hil_lif *net, int layer, int32_t window)
{
    for (size_t cell = 0; cell < HIL_CELLS; cell++) {
        for (size_t from = 0; net->spiked[cell] && from < HIL_CELLS; from++) {
            if (net->since[layer][from] < window) {
                change(net, layer, cell, from, change_of(net, 0));
            }
        }
    }
}

/* Synapses from whoever has a spike, to cells that spiked within `window` steps before. */
static void depress(struct hil_lif *net, int layer, const uint8_t *spikes, int32_t window)
{
    for (size_t from = 0; from < HIL_CELLS; from++) {
        for (size_t cell = 0; spikes[from] && cell < HIL_CELLS; cell++) {
            if (net->since[HIL_LIF_RECURRENT][cell] < window) {
                change(net, layer, cell, from, -change_of(net, 8));
            }
        }
    }
}

/* Homeostasis: thresholds of cells that spike rise, and all fall, to one unit at least. */
static void follow(struct hil_lif *net)
{
    for (size_t cell = 0; net->follows && cell < HIL_CELLS; cell++) {
        const int32_t rise = net->spiked[cell] ? net->parameters[3][RISE_AT] : 0;
        int32_t *const threshold = &net->parameters[0][cell];

        *threshold = clamp(*threshold + rise - net->parameters[3][FALL_AT], 1, MOST);
    }
}

static void count(uint8_t *since, const uint8_t *spikes)
{
    for (size_t i = 0; i < HIL_CELLS; i++) {
        since[i] = spikes[i] ? 0 : since[i] < NEVER ? since[i] + 1 : NEVER;
    }
}

void hil_lif_step(struct hil_lif *net)
{
    integrate(net);
    fire(net);
    follow(net);
    potentiate(net, HIL_LIF_INPUT, byte_of(net, 0, 0));
    potentiate(net, HIL_LIF_RECURRENT, byte_of(net, 1, 0));
    depress(net, HIL_LIF_INPUT, net->input, byte_of(net, 0, 8));
    depress(net, HIL_LIF_RECURRENT, net->spiked, byte_of(net, 1, 8));
    count(net->since[HIL_LIF_INPUT], net->input);
    count(net->since[HIL_LIF_RECURRENT], net->spiked);
    memset(net->input, 0, sizeof net->input);
}
