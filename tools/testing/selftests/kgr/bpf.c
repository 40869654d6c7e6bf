// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF program on a kernel function, without any library.
 *
 *	bpf fentry|fexit|fmod_ret FUNCTION
 *
 * Attaches a program that counts its calls (fmod_ret lets the function run), says
 * "attached", and then for each line on stdin how often it has been called. Ends,
 * and detaches, with its input. Exit status 4: the kernel lacks what it takes.
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

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SKIP		4

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

/* The id of a function's type, 0 when there is none */
static int find_function(const char *name)
{
	const struct btf_header *header;
	const char *types_at, *end, *strings;
	size_t size;
	int id;

	header = read_btf(&size);
	if (!header)
		return 0;
	types_at = (const char *)header + header->hdr_len + header->type_off;
	end = types_at + header->type_len;
	strings = (const char *)header + header->hdr_len + header->str_off;

	for (id = 1; types_at < end; id++) {
		const struct btf_type *type = (const void *)types_at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(strings + type->name_off, name))
			return id;
		types_at += sizeof(*type) + extra(type);
	}
	return 0;
}

static int create_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
	};

	return sys_bpf(BPF_MAP_CREATE, &attr);
}

static uint64_t count(int map)
{
	uint32_t key = 0;
	uint64_t value = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	return value;
}

/* key = 0; value = lookup(map, &key); if (value) (*value)++; return 0 */
static int load(int map, enum bpf_attach_type type, int id)
{
	static char log[65536];
	struct bpf_insn code[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = type,
		.insns = (uintptr_t)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (uintptr_t)"GPL",
		.attach_btf_id = id,
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		fprintf(stderr, "loading: %s\n%s", strerror(errno), log);
	return fd;
}

static int attach(int program)
{
	union bpf_attr attr = { .raw_tracepoint.prog_fd = program };

	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

int main(int argc, char **argv)
{
	enum bpf_attach_type type = 0;
	int id, map, program;
	char line[16];
	size_t i;

	for (i = 0; argc == 3 && i < ARRAY_SIZE(types); i++) {
		if (!strcmp(argv[1], types[i].name))
			type = types[i].type;
	}
	if (!type) {
		fprintf(stderr, "usage: bpf fentry|fexit|fmod_ret FUNCTION\n");
		return 2;
	}

	id = find_function(argv[2]);
	if (!id) {
		fprintf(stderr, "%s: no such function in the kernel's BTF\n", argv[2]);
		return SKIP;
	}
	map = create_map();
	program = map < 0 ? -1 : load(map, type, id);
	if (program < 0)
		return 1;
	if (attach(program) < 0) {
		fprintf(stderr, "attaching: %s\n", strerror(errno));
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("attached");
	while (fgets(line, sizeof(line), stdin))
		printf("%llu\n", (unsigned long long)count(map));
	return 0;
}
