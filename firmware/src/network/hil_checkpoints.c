#include "hil_learner_parts.h"
#include "hil_memory.h"

static const uint8_t identity[] = HIL_IDENTITY;

static bool of_this_network(const struct hil_checkpoint *entry)
{
    for (size_t i = 0; i < sizeof identity; i++) {
        if ((uint8_t)entry->identity[i] != identity[i]) {
            return false;
        }
    }
    return entry->version == HIL_CHECKPOINT_VERSION && entry->size == STATE_BYTES;
}

void hil_checkpoints_open(void)
{
    struct hil_checkpoint newest;

    hil_store_open(&hil_learner.store);
    hil_learner.committed = HIL_NEVER;
    if (hil_store_find(&hil_learner.store, 0, HIL_NEVER, &newest) &&
        of_this_network(&newest)) {
        hil_learner.committed = newest.step;
    }
}

enum hil_status hil_checkpoints_resume(struct hil_init *init)
{
    struct hil_store store = hil_learner.store;
    struct hil_checkpoint entry;

    if (!hil_store_find(&store, init->run, init->step, &entry)) {
        return HIL_NO_CHECKPOINT;
    }
    if (!of_this_network(&entry) || entry.seed != init->seed) {
        return HIL_OTHER_CHECKPOINT;
    }
    const enum hil_status status = hil_state_draw(entry.seed);
    if (status != HIL_OK) {
        return status;
    }
    hil_learner.store = store;
    hil_learner.ready = hil_store_load(&store, &hil_learner.net.state, STATE_BYTES);
    init->step = entry.step;
    init->run = entry.run;
#ifdef HIL_HELD
    if (hil_learner.ready && !hil_held_state()) {
        hil_learner.ready = false;
        return HIL_OTHER_CHECKPOINT;
    }
#endif
    return hil_learner.ready ? HIL_OK : HIL_NO_STORAGE;
}

/* Write what the steps before this one led to; false: the flash did not take it. */
static bool commit(struct hil_checkpoint *entry)
{
    *entry = (struct hil_checkpoint){
        .run = hil_learner.run,
        .step = hil_learner.net.step,
        .seed = hil_learner.net.seed,
        .digest = net_digest(&hil_learner.net), /* applies what is pending, too */
        .size = STATE_BYTES,
    };
    memcpy(entry->identity, identity, sizeof identity);
    return hil_store_write(&hil_learner.store, entry, &hil_learner.net.state);
}

/* The steps before the one that is named are to be kept: write what they led to,
 * unless that was done before. */
void hil_checkpoints_on_commit(const struct hil_request *request)
{
    const uint32_t step = request->fields.commit.step;
    struct hil_checkpoint entry;

    if (!hil_learner_ready(request)) {
        return;
    }
    if (step != hil_learner.net.step ||
        hil_replies_find(request->header.kind, step, 1) != NULL) {
        hil_replies_repeat(request, step, 1);
        return;
    }
    if (!commit(&entry)) {
        hil_session_refuse(request, HIL_NO_STORAGE);
        return;
    }
    hil_learner.committed = entry.step;

    struct hil_kept_reply *const keep = hil_replies_next();
    const struct hil_commit_reply reply = { entry.step, entry.digest, entry.sequence };
    memcpy(keep->body + HIL_HEADER_BYTES, &reply, sizeof reply);
    hil_replies_give(request, keep, entry.step, 1, sizeof reply);
}
