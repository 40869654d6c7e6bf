// SPDX-License-Identifier: GPL-2.0
/*
 * How many instructions does a getpid system call take? For a guest whose TSC
 * counts instructions (scripts/vm-run --icount). 100,000 calls in batches of
 * 100: the smallest batch is one that no interrupt fell into.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#define BATCHES	1000
#define CALLS	100

static inline long getpid_call(void)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "0"(SYS_getpid) : "rcx", "r11", "memory");
	return ret;
}

static uint64_t batch(void)
{
	uint64_t start = __rdtsc();

	for (int i = 0; i < CALLS; i++)
		getpid_call();
	return __rdtsc() - start;
}

int main(void)
{
	static uint64_t took[BATCHES];
	uint64_t min = UINT64_MAX, total = 0;
	int undisturbed = 0;

	batch();
	for (int i = 0; i < BATCHES; i++)
		took[i] = batch();
	for (int i = 0; i < BATCHES; i++) {
		total += took[i];
		if (took[i] < min)
			min = took[i];
	}
	for (int i = 0; i < BATCHES; i++)
		undisturbed += took[i] == min;
	printf("%llu %d %llu\n", (unsigned long long)min, undisturbed, (unsigned long long)total);
	return 0;
}
