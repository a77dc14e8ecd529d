/* The host's port, but for its line and its end, which are the fuzzer's: what
 * else a port has to offer, now or later, needs no word here. */
#define hil_port_read host_port_read
#define hil_port_wait host_port_wait
#define hil_port_write host_port_write
#define hil_port_exit host_port_exit
#include "../firmware/ports/host/host.c"
