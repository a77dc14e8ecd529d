/* A machine with vectors is asked how many of n elements it takes. Where more than one pass
 * is left and less than two, it may take half of them (RVV 1.0, 6.3), and some machines do;
 * QEMU never does. So here it is asked by way of a choice. */
#include <riscv_vector.h>
#include <stdbool.h>
#include <stddef.h>

extern bool halves;

#define HALVING(kind)                                                                      \
    static inline __attribute__((always_inline, unused)) size_t halved_##kind(size_t n)    \
    {                                                                                      \
        const size_t most = __riscv_vsetvlmax_##kind();                                    \
        const size_t usual = n < most ? n : most;                                          \
        return halves && n > most && n < 2 * most ? (n + 1) / 2 : usual;                   \
    }

HALVING(e8m8)
HALVING(e16m8)
HALVING(e32m1)
HALVING(e32m2)
HALVING(e32m4)
HALVING(e32m8)
#undef __riscv_vsetvl_e8m8
#define __riscv_vsetvl_e8m8 halved_e8m8
#undef __riscv_vsetvl_e16m8
#define __riscv_vsetvl_e16m8 halved_e16m8
#undef __riscv_vsetvl_e32m1
#define __riscv_vsetvl_e32m1 halved_e32m1
#undef __riscv_vsetvl_e32m2
#define __riscv_vsetvl_e32m2 halved_e32m2
#undef __riscv_vsetvl_e32m4
#define __riscv_vsetvl_e32m4 halved_e32m4
#undef __riscv_vsetvl_e32m8
#define __riscv_vsetvl_e32m8 halved_e32m8
