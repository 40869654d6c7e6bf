// SPDX-License-Identifier: GPL-2.0
/*
 * Module information as in a patch module, and nothing else.
 */
#define INFO(name, tag, value) \
	static const char name[] __attribute__((used, section(".modinfo"))) = tag "=" value

#ifndef VERMAGIC
#define VERMAGIC "6.12.0 SMP preempt mod_unload "
#endif
#ifndef BUILD_ID
#define BUILD_ID "00112233445566778899aabbccddeeff00112233"
#endif
#ifndef SRCVERSION
#define SRCVERSION "533BB7E5866E52F63B9ACCB"
#endif

INFO(module_name, "name", NAME);
#ifdef OWN_BUILD_ID	/* as the linker writes it */
asm(".pushsection .note.gnu.build-id, \"a\", @note\n"
    "	.long 4, 4, 3\n"
    "	.asciz \"GNU\"\n"
    "	.long " OWN_BUILD_ID "\n"
    ".popsection\n");
#endif
INFO(module_license, "license", "GPL");
INFO(module_vermagic, "vermagic", VERMAGIC);
INFO(module_srcversion, "srcversion", SRCVERSION);
#ifdef IS_KGRAFT
INFO(module_kgraft, "kgraft", "Y");
INFO(module_build_id, "kgraft_build_id", BUILD_ID);
#ifndef BY_HAND
INFO(module_model, "kgraft_model", "universe");
#endif
#ifdef CUMULATIVE
INFO(module_replace, "kgraft_replace", "Y");
#endif
INFO(module_cve, "kgraft_cve", "CVE-2024-1 CVE-2024-2");
#ifdef HASH
INFO(module_hash, "kgraft_hash", HASH);
#endif
#ifdef FUNCTIONS	/* as kgr-build lists them */
INFO(module_hash1, "kgraft_hash", "vmlinux:first,0 32 00ff");
INFO(module_hash2, "kgraft_hash", "vmlinux:second,2 64 00ff");
INFO(module_hash3, "kgraft_hash", "ext4:third,0 64 00ff");
#endif
#ifdef BY_HAND		/* a patch as struct kgr_patch begins and as struct kgr_patch_fun does */
extern char __this_module;

static int new_first(void)
{
	return 1;
}

/* What begins like a patch but is constant, as each parameter of a module does */
static const struct {
	const char *name;
	void *mod;
	const char *more[24];
} param __attribute__((used, section("__param"))) = {
	.name = "parameter",
	.mod = &__this_module,
	.more = { [14] = "not", [15] = (const char *)new_first },
};

static struct {
	const char *name;
	void *owner;
	const char *replace_set;
	long public[9];
	long private[20];
	struct {
		const char *name;
		void *new_fun;
		const char *objname;
		unsigned long sympos, old_size;
		long private[8];
	} patches[3];
} patch __attribute__((used, section(".data.patch"))) = {
	.name = "kgr_good",
	.owner = &__this_module,
	.replace_set = "set",
	.patches = {
		{ "first", new_first, 0, 0, 0, { 0 } },
		{ "third", new_first, "ext4", 2, 0, { 0 } },
	},
};
#endif
#endif
