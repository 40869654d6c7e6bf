// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs, without any library.
 *
 *	bpf fentry|fexit|fmod_ret FUNCTION...
 *	bpf pair TRACEPOINT...
 *
 * Attaches to each function a program that counts its calls (fmod_ret lets the
 * function run), says "attached", and then for each line on stdin how often each has
 * been called. Or, on each of the tracepoints, one that calls the two helpers that
 * kgr_test_bpf.ko patches, by turns and several times; it counts how often all were
 * old, all new, or not. Ends, and detaches, with its input. Exit status 4: the kernel
 * lacks what it takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/btf.h>

#include "test_modules/kgr_test_bpf.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SKIP		4
#define MAX_FUNCTIONS	8

static const struct {
	const char *name;
	enum bpf_attach_type type;
} types[] = {
	{ "fentry",	BPF_TRACE_FENTRY },
	{ "fexit",	BPF_TRACE_FEXIT },
	{ "fmod_ret",	BPF_MODIFY_RETURN },
};

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void *read_btf(size_t *size)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
	size_t used = 0, room = 32 << 20;
	char *data = malloc(room);
	ssize_t n;

	if (fd < 0 || !data)
		return NULL;
	while (used < room && (n = read(fd, data + used, room - used)) > 0)
		used += n;
	close(fd);
	*size = used;
	return data;
}

/* Bytes behind a type's struct btf_type */
static size_t extra(const struct btf_type *type)
{
	unsigned int vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* The ids of functions' types; those that are not there stay 0 */
static void find_functions(char **names, int *ids, int nr)
{
	const struct btf_header *header;
	const char *types_at, *end, *strings;
	size_t size;
	int i, id;

	header = read_btf(&size);
	if (!header)
		return;
	types_at = (const char *)header + header->hdr_len + header->type_off;
	end = types_at + header->type_len;
	strings = (const char *)header + header->hdr_len + header->str_off;

	for (id = 1; types_at < end; id++) {
		const struct btf_type *type = (const void *)types_at;

		for (i = 0; BTF_INFO_KIND(type->info) == BTF_KIND_FUNC && i < nr; i++) {
			if (!strcmp(strings + type->name_off, names[i]))
				ids[i] = id;
		}
		types_at += sizeof(*type) + extra(type);
	}
}

/* So many counts */
static int create_map(int entries)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = entries,
	};

	return sys_bpf(BPF_MAP_CREATE, &attr);
}

static uint64_t count(int map, uint32_t key)
{
	uint64_t value = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	return value;
}

#define MOV(dst, value)	\
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (value) }
#define ADD(dst, value)	\
	{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (dst), .imm = (value) }
#define JUMP_IF(op, reg, value, to)	\
	{ .code = BPF_JMP | (op) | BPF_K, .dst_reg = (reg), .imm = (value), .off = (to) }
#define CALL(helper)	{ .code = BPF_JMP | BPF_CALL, .imm = (helper) }

/* value = lookup(map, r10 - 4); if (value) (*value)++; return 0 */
#define COUNT_AND_EXIT(map)						\
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1,		\
	  .src_reg = BPF_PSEUDO_MAP_FD, .imm = (map) },			\
	{ },								\
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },	\
	ADD(2, -4),							\
	CALL(BPF_FUNC_map_lookup_elem),					\
	JUMP_IF(BPF_JEQ, 0, 0, 2),					\
	MOV(1, 1),							\
	{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1,	\
	  .imm = BPF_ADD },						\
	MOV(0, 0),							\
	{ .code = BPF_JMP | BPF_EXIT }

static int load(union bpf_attr *attr, const struct bpf_insn *code, int len)
{
	static char log[1 << 20];
	int fd;

	attr->insns = (uintptr_t)code;
	attr->insn_cnt = len;
	attr->license = (uintptr_t)"GPL";
	attr->log_buf = (uintptr_t)log;
	attr->log_size = sizeof(log);
	attr->log_level = 1;
	fd = sys_bpf(BPF_PROG_LOAD, attr);
	if (fd < 0)
		fprintf(stderr, "loading: %s\n%s", strerror(errno), log);
	return fd;
}

/* Counts calls, at index @key */
static int load_counter(int map, int key, enum bpf_attach_type type, int id)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = key },
		COUNT_AND_EXIT(map),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = type,
		.attach_btf_id = id,
	};

	return load(&attr, code, ARRAY_SIZE(code));
}

#define TURNS	200
enum { ALL_OLD, ALL_NEW, MIXED, NR_SEEN };

/*
 * r6 += whether r0 is what the new helpers return, for a number below 2^63: only 0 - 1
 * has the highest bit. Without a branch, which would double what there is to verify.
 */
#define ADD_IF_NEW							\
	{ .code = BPF_ALU64 | BPF_XOR | BPF_K, .dst_reg = 0, .imm = KGR_TEST_BPF_NEW }, \
	ADD(0, -1),							\
	{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = 0, .imm = 63 },	\
	{ .code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 6, .src_reg = 0 }

/* r7 counts the turns; key = old, new or mixed */
static int load_pair(int map)
{
	struct bpf_insn code[] = {
		MOV(6, 0),
		MOV(7, 0),
		CALL(BPF_FUNC_ktime_get_boot_ns),
		ADD_IF_NEW,
		CALL(BPF_FUNC_get_numa_node_id),
		ADD_IF_NEW,
		ADD(7, 1),
		JUMP_IF(BPF_JLT, 7, TURNS, -12),
		MOV(0, ALL_OLD),
		JUMP_IF(BPF_JEQ, 6, 0, 3),
		MOV(0, ALL_NEW),
		JUMP_IF(BPF_JEQ, 6, 2 * TURNS, 1),
		MOV(0, MIXED),
		{ .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = 10, .src_reg = 0, .off = -4 },
		COUNT_AND_EXIT(map),
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT };

	return load(&attr, code, ARRAY_SIZE(code));
}

/* To the function that it was loaded for when there is no tracepoint */
static int attach(int program, const char *tracepoint)
{
	union bpf_attr attr = {
		.raw_tracepoint.prog_fd = program,
		.raw_tracepoint.name = (uintptr_t)tracepoint,
	};
	int fd = sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);

	if (fd < 0)
		fprintf(stderr, "attaching%s%s: %s\n", tracepoint ? " to " : "",
			tracepoint ? tracepoint : "", strerror(errno));
	return fd;
}

/* Says all counts, each after what is in @names for it, for each line on stdin */
static int attached(int map, int nr, const char * const *names)
{
	char line[16];
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("attached");
	while (fgets(line, sizeof(line), stdin)) {
		for (i = 0; i < nr; i++)
			printf("%s%s%llu", i ? " " : "", names ? names[i] : "",
			       (unsigned long long)count(map, i));
		putchar('\n');
	}
	return 0;
}

static int on_functions(enum bpf_attach_type type, int nr, char **names)
{
	int i, map, program, ids[MAX_FUNCTIONS] = { };

	find_functions(names, ids, nr);
	map = create_map(nr);
	for (i = 0; i < nr; i++) {
		if (!ids[i]) {
			fprintf(stderr, "%s: no such function in the kernel's BTF\n", names[i]);
			return SKIP;
		}
		program = map < 0 ? -1 : load_counter(map, i, type, ids[i]);
		if (program < 0 || attach(program, NULL) < 0)
			return 1;
	}
	return attached(map, nr, NULL);
}

static int on_tracepoints(int count, char **names)
{
	static const char * const seen[NR_SEEN] = { "old=", "new=", "mixed=" };
	int i, map, program;

	map = create_map(NR_SEEN);
	program = map < 0 ? -1 : load_pair(map);
	if (program < 0)
		return 1;
	for (i = 0; i < count; i++) {
		if (attach(program, names[i]) < 0)
			return 1;
	}
	return attached(map, NR_SEEN, seen);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 2 && argc <= 2 + MAX_FUNCTIONS && i < ARRAY_SIZE(types); i++) {
		if (!strcmp(argv[1], types[i].name))
			return on_functions(types[i].type, argc - 2, argv + 2);
	}
	if (argc > 2 && !strcmp(argv[1], "pair"))
		return on_tracepoints(argc - 2, argv + 2);
	fprintf(stderr, "usage: bpf fentry|fexit|fmod_ret FUNCTION... | bpf pair TRACEPOINT...\n");
	return 2;
}
