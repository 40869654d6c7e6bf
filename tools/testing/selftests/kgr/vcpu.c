// SPDX-License-Identifier: GPL-2.0
/*
 * A virtual CPU that never leaves its guest by itself: one page of memory, one
 * jump to itself in real mode. KVM_RUN stays on the stack of its thread all the
 * time; prints each of its returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util.h"

#define GUEST_ADDR	0x1000
#define GUEST_SIZE	0x1000

static const unsigned char loop[] = { 0xeb, 0xfe };	/* jmp to itself */

static int make_vm(int kvm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_ADDR,
		.memory_size = GUEST_SIZE,
	};
	void *mem;
	int vm;

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	mem = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm < 0 || mem == MAP_FAILED)
		return -errno;
	memcpy(mem, loop, sizeof(loop));
	region.userspace_addr = (uintptr_t)mem;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : vm;
}

static int make_vcpu(int vm)
{
	struct kvm_regs regs = { .rip = GUEST_ADDR, .rflags = 2 };
	struct kvm_sregs sregs;
	int vcpu;

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0 || ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		return -errno;
	return vcpu;
}

int main(void)
{
	int kvm, vm, vcpu = -1;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm = kvm < 0 ? -errno : make_vm(kvm);
	if (vm >= 0)
		vcpu = make_vcpu(vm);
	if (vm < 0 || vcpu < 0) {
		printf("error=%s\n", kgr_errname(vm < 0 ? vm : vcpu));
		return 1;
	}
	printf("running=%d\n", getpid());
	fflush(stdout);
	for (;;) {
		int ret = ioctl(vcpu, KVM_RUN, 0);

		printf("returned=%s\n", ret ? kgr_errname(errno) : "ok");
		fflush(stdout);
		if (!ret || errno != EINTR)
			return 1;
	}
}
