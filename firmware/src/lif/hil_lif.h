/* A network of integrate-and-fire cells that is programmed, run and read back by the bytes
 * of NeuroCoreX's UART (docs/spiking.md has them, and the equations).
 *
 * The bytes come one at a time, split in any way. What they ask for, steps of the network
 * and weights that are read back, is done piece by piece as its answer finds room: nothing
 * here needs more memory than the structure has, whatever comes. */
#ifndef HIL_LIF_H
#define HIL_LIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_config.h"

/* Bytes that tell which cells spike in a step. */
#define HIL_LIF_RASTER (HIL_CELLS / 8)

enum { HIL_LIF_INPUT, HIL_LIF_RECURRENT, HIL_LIF_LAYERS };

/* What came of a byte: it was taken, or it is none that may come here, and nothing has
 * changed. */
enum hil_lif_verdict {
    HIL_LIF_TAKEN,
    HIL_LIF_NO_OPCODE, /* expected was an opcode */
    HIL_LIF_NO_CELL    /* an event of an input line that is not there */
};

struct hil_lif {
    int8_t weights[HIL_LIF_LAYERS][HIL_CELLS][HIL_CELLS]; /* to a cell, from a line or cell */
    uint8_t plastic[HIL_LIF_LAYERS * HIL_CELLS * HIL_CELLS / 8]; /* as it came */
    int32_t parameters[4][HIL_CELLS]; /* thresholds, refractory steps, leaks, STDP */
    int32_t debug[2];                 /* a bias, and the cell that has it */
    int32_t potential[HIL_CELLS];     /* in 1/1024 */
    int32_t current[HIL_CELLS];       /* of this step, in 1 */
    int32_t resting[HIL_CELLS];       /* steps that a cell does not spike */
    uint8_t since[HIL_LIF_LAYERS][HIL_CELLS]; /* steps since the last spike, 255 at most */
    uint8_t input[HIL_CELLS];         /* lines that have a spike in the next step */
    uint8_t spiked[HIL_CELLS];        /* cells that had one in the last step */
    /* What is due: weights to be told, steps, then a spike on a line. */
    uint32_t unread, due;
    uint16_t entering; /* the line, HIL_CELLS: none */
    uint8_t reading;   /* the layer */
    bool marker;       /* a run begins */
    bool ending;       /* it ends after the steps */
    bool running;
    bool follows;      /* thresholds follow how often their cells spike */
    /* The command that is being received: how much of it has come. */
    bool within;
    uint8_t opcode, detail, part, held[2];
    uint32_t at;
};

/* As after power-on: no weights, nothing learns, thresholds of 1/2, a gain of 4. */
void hil_lif_reset(struct hil_lif *net);

/* Take one byte; not while the network is busy. */
enum hil_lif_verdict hil_lif_take(struct hil_lif *net, uint8_t byte);

/* Forget the event whose last byte was refused: the next byte begins another. */
void hil_lif_leave_out(struct hil_lif *net);

/* Whether there is something left to do, and to tell. */
bool hil_lif_busy(const struct hil_lif *net);

/* Do it, as far as `room` bytes hold what there is to tell, which is at least
 * HIL_LIF_RASTER; returns how many bytes were told. */
size_t hil_lif_tell(struct hil_lif *net, uint8_t *to, size_t room);

/* One step: hil_lif_step.c. */
void hil_lif_step(struct hil_lif *net);

#endif
