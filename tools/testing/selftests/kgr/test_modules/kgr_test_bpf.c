// SPDX-License-Identifier: GPL-2.0
/*
 * Patches two helpers that BPF programs call. Nothing in a test's machine wants to know
 * the time or the node from them but the program of bpf.c, which compares the two.
 */
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/module.h>
#include <linux/types.h>

#include "kgr_test_bpf.h"

static int model = KGR_MODEL_UNIVERSE;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate, 3 quiesce");

/* All helpers take five arguments, as the programs pass them */
static u64 new_ktime_get_boot_ns(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	return KGR_TEST_BPF_NEW;
}

static u64 new_get_numa_node_id(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	return KGR_TEST_BPF_NEW;
}

static struct kgr_patch patch = {
	.name = "kgr_test_bpf",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(bpf_ktime_get_boot_ns, new_ktime_get_boot_ns),
		KGR_PATCH(bpf_get_numa_node_id, new_get_numa_node_id),
		KGR_PATCH_END
	}
};

static int __init kgr_test_bpf_init(void)
{
	patch.model = model;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_bpf_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_bpf_init);
module_exit(kgr_test_bpf_exit);
MODULE_DESCRIPTION("kGraft selftest: helpers of BPF");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
