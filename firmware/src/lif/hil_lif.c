/* The bytes of NeuroCoreX's UART, one at a time, and what is told. */
#include "hil_lif.h"

#include "hil_memory.h"

enum { WEIGHTS, RECURRENT, PARAMETERS, EVENTS, DEBUG, READ, PLASTIC, OPCODES };

enum { SYNAPSES = HIL_CELLS * HIL_CELLS, MARKER = 0xff, NOBODY = 0xffff };

/* Their payloads: bytes, of parameters words. Those whose length has a 1 more end with a
 * byte that means nothing; events end when they say so. */
static const uint32_t lengths[OPCODES] = {
    [WEIGHTS] = SYNAPSES + 1,
    [RECURRENT] = SYNAPSES + 1,
    [PARAMETERS] = 4 * HIL_CELLS,
    [DEBUG] = 2,
    [READ] = 1,
    [PLASTIC] = SYNAPSES / 4 + 1,
};

/* Spikes on their way are lost, and so is what a cell remembers; weights stay. */
static void rest(struct hil_lif *net)
{
    memset(net->potential, 0, sizeof net->potential);
    memset(net->resting, 0, sizeof net->resting);
    memset(net->since, 0xff, sizeof net->since);
    memset(net->input, 0, sizeof net->input);
    memset(net->spiked, 0, sizeof net->spiked);
    net->running = false;
}

void hil_lif_reset(struct hil_lif *net)
{
    memset(net, 0, sizeof *net);
    for (size_t cell = 0; cell < HIL_CELLS; cell++) {
        net->parameters[0][cell] = 512;
        net->parameters[1][cell] = 4;
    }
    net->entering = HIL_CELLS;
    rest(net);
}

/* 18 bits of three bytes, with their sign; six bits mean nothing. */
static int32_t word(const uint8_t *low, uint8_t high)
{
    const int32_t bits = low[0] | low[1] << 8 | (high & 3) << 16;

    return bits >= 0x20000 ? bits - 0x40000 : bits;
}

/* Whether a byte is the third of three; the others are held. */
static bool is_third(struct hil_lif *net, uint8_t byte)
{
    if (net->part < 2) {
        net->held[net->part++] = byte;
        return false;
    }
    return true;
}

static void begin_reading(struct hil_lif *net)
{
    net->reading = net->detail & 1;
    net->unread = SYNAPSES;
}

/* A byte of a payload that has a length. */
static void take_data(struct hil_lif *net, uint8_t byte)
{
    const bool words = net->opcode == PARAMETERS || net->opcode == DEBUG;
    const bool last = net->at + 1 == lengths[net->opcode];

    if (words && !is_third(net, byte)) {
        return;
    }
    switch (net->opcode) {
    case PARAMETERS:
        net->follows = net->detail & 1;
        (&net->parameters[0][0])[net->at] = word(net->held, byte);
        break;
    case DEBUG:
        net->debug[net->at] = word(net->held, byte);
        break;
    case READ:
        begin_reading(net);
        break;
    case PLASTIC:
        if (!last) {
            net->plastic[net->at] = byte;
        }
        break;
    default:
        if (!last) {
            (&net->weights[net->opcode][0][0])[net->at] = (int8_t)byte;
        }
        break;
    }
    net->within = !last;
    net->part = 0;
    net->at++;
}

static void end_events(struct hil_lif *net)
{
    net->within = false;
    net->ending = net->running;
    net->due = net->running; /* the last event has its step */
}

/* Three bytes are an event: how many steps pass before it, and its line. Of theirs each
 * has a step to itself; detail 1 lets those of one step share it. */
static enum hil_lif_verdict take_event(struct hil_lif *net, uint8_t byte)
{
    if (!is_third(net, byte)) {
        return HIL_LIF_TAKEN;
    }
    const uint8_t steps = net->held[0];
    const uint16_t line = (uint16_t)(net->held[1] | byte << 8);

    if (line >= HIL_CELLS && line != NOBODY) {
        return HIL_LIF_NO_CELL;
    }
    net->part = 0;
    if (steps == 0xff && line == NOBODY) {
        end_events(net);
        return HIL_LIF_TAKEN;
    }
    net->due = steps + (net->running && !(net->detail & 1));
    net->entering = line == NOBODY ? HIL_CELLS : line;
    net->marker = !net->running;
    net->running = true;
    return HIL_LIF_TAKEN;
}

enum hil_lif_verdict hil_lif_take(struct hil_lif *net, uint8_t byte)
{
    if (net->within && net->opcode == EVENTS) {
        return take_event(net, byte);
    }
    if (net->within) {
        take_data(net, byte);
        return HIL_LIF_TAKEN;
    }
    if (byte >> 4 >= OPCODES) {
        return HIL_LIF_NO_OPCODE;
    }
    net->opcode = byte >> 4;
    net->detail = byte & 15;
    net->within = true;
    net->part = 0;
    net->at = 0;
    return HIL_LIF_TAKEN;
}

void hil_lif_leave_out(struct hil_lif *net)
{
    net->part = 0;
}

bool hil_lif_busy(const struct hil_lif *net)
{
    return net->unread > 0 || net->marker || net->due > 0;
}

static size_t tell_weights(struct hil_lif *net, uint8_t *to, size_t room)
{
    const size_t size = net->unread < room ? net->unread : room;
    const int8_t *const weights = &net->weights[net->reading][0][0];

    memcpy(to, weights + SYNAPSES - net->unread, size);
    net->unread -= (uint32_t)size;
    return size;
}

static void tell_step(struct hil_lif *net, uint8_t *to)
{
    hil_lif_step(net);
    memset(to, 0, HIL_LIF_RASTER);
    for (size_t cell = 0; cell < HIL_CELLS; cell++) {
        to[cell / 8] |= (uint8_t)(net->spiked[cell] << cell % 8);
    }
    net->due--;
}

/* Nothing is due before it. */
static void enter(struct hil_lif *net)
{
    if (net->entering < HIL_CELLS) {
        net->input[net->entering] = 1;
        net->entering = HIL_CELLS;
    }
    if (net->ending) {
        net->ending = false;
        rest(net);
    }
}

size_t hil_lif_tell(struct hil_lif *net, uint8_t *to, size_t room)
{
    size_t told = tell_weights(net, to, room);

    if (net->marker && told < room) {
        to[told++] = MARKER;
        net->marker = false;
    }
    while (net->due > 0 && !net->marker && room - told >= HIL_LIF_RASTER) {
        tell_step(net, to + told);
        told += HIL_LIF_RASTER;
    }
    if (!hil_lif_busy(net)) {
        enter(net);
    }
    return told;
}
