/* Included before a vector kernel: vsetvl as RVV 1.0 allows it besides what QEMU 7
 * does. Of more elements than a group has lanes, but fewer than two groups have, it takes
 * half, rounded up, so that both passes are alike. */
#ifndef HALVES_H
#define HALVES_H

#include <riscv_vector.h>

static inline size_t halves(size_t n, size_t lanes)
{
    return n <= lanes ? n : n < 2 * lanes ? (n + 1) / 2 : lanes;
}

#undef __riscv_vsetvl_e8mf4
#define __riscv_vsetvl_e8mf4(n) halves(n, __riscv_vsetvlmax_e8mf4())
#undef __riscv_vsetvl_e8mf2
#define __riscv_vsetvl_e8mf2(n) halves(n, __riscv_vsetvlmax_e8mf2())
#undef __riscv_vsetvl_e8m1
#define __riscv_vsetvl_e8m1(n) halves(n, __riscv_vsetvlmax_e8m1())
#undef __riscv_vsetvl_e8m2
#define __riscv_vsetvl_e8m2(n) halves(n, __riscv_vsetvlmax_e8m2())
#undef __riscv_vsetvl_e8m4
#define __riscv_vsetvl_e8m4(n) halves(n, __riscv_vsetvlmax_e8m4())
#undef __riscv_vsetvl_e8m8
#define __riscv_vsetvl_e8m8(n) halves(n, __riscv_vsetvlmax_e8m8())
#undef __riscv_vsetvl_e16mf2
#define __riscv_vsetvl_e16mf2(n) halves(n, __riscv_vsetvlmax_e16mf2())
#undef __riscv_vsetvl_e16m1
#define __riscv_vsetvl_e16m1(n) halves(n, __riscv_vsetvlmax_e16m1())
#undef __riscv_vsetvl_e16m2
#define __riscv_vsetvl_e16m2(n) halves(n, __riscv_vsetvlmax_e16m2())
#undef __riscv_vsetvl_e16m4
#define __riscv_vsetvl_e16m4(n) halves(n, __riscv_vsetvlmax_e16m4())
#undef __riscv_vsetvl_e16m8
#define __riscv_vsetvl_e16m8(n) halves(n, __riscv_vsetvlmax_e16m8())
#undef __riscv_vsetvl_e32m1
#define __riscv_vsetvl_e32m1(n) halves(n, __riscv_vsetvlmax_e32m1())
#undef __riscv_vsetvl_e32m2
#define __riscv_vsetvl_e32m2(n) halves(n, __riscv_vsetvlmax_e32m2())
#undef __riscv_vsetvl_e32m4
#define __riscv_vsetvl_e32m4(n) halves(n, __riscv_vsetvlmax_e32m4())
#undef __riscv_vsetvl_e32m8
#define __riscv_vsetvl_e32m8(n) halves(n, __riscv_vsetvlmax_e32m8())
#if __riscv_v_elen >= 64
#undef __riscv_vsetvl_e64m1
#define __riscv_vsetvl_e64m1(n) halves(n, __riscv_vsetvlmax_e64m1())
#undef __riscv_vsetvl_e64m2
#define __riscv_vsetvl_e64m2(n) halves(n, __riscv_vsetvlmax_e64m2())
#undef __riscv_vsetvl_e64m4
#define __riscv_vsetvl_e64m4(n) halves(n, __riscv_vsetvlmax_e64m4())
#undef __riscv_vsetvl_e64m8
#define __riscv_vsetvl_e64m8(n) halves(n, __riscv_vsetvlmax_e64m8())
#endif

#endif
