// SPDX-License-Identifier: GPL-2.0
/*
 * Module information as in a patch module, and nothing else.
 */
#define INFO(name, tag, value) \
	static const char name[] __attribute__((used, section(".modinfo"))) = tag "=" value

#ifndef VERMAGIC
#define VERMAGIC "6.12.0 SMP preempt mod_unload "
#endif

INFO(module_name, "name", NAME);
INFO(module_license, "license", "GPL");
INFO(module_vermagic, "vermagic", VERMAGIC);
INFO(module_srcversion, "srcversion", "533BB7E5866E52F63B9ACCB");
#ifdef IS_KGRAFT
INFO(module_kgraft, "kgraft", "Y");
INFO(module_build_id, "kgraft_build_id", "00112233445566778899aabbccddeeff00112233");
#ifndef BY_HAND
INFO(module_model, "kgraft_model", "universe");
#endif
#ifdef CUMULATIVE
INFO(module_replace, "kgraft_replace", "Y");
#endif
INFO(module_cve, "kgraft_cve", "CVE-2024-1 CVE-2024-2");
#endif
