#include "hil_port.h"
#include "hil_runtime.h"

int main(int argc, char **argv)
{
    hil_port_init(argc, argv);
    hil_runtime_serve();
}
