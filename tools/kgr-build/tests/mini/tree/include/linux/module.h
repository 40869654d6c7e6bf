/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the kernel's as kgr-build's generated source needs */
#ifndef MINI_MODULE_H
#define MINI_MODULE_H

#define __init
#define __exit
#define MINI_PASTE(a, b)	a##b
#define MINI_UNIQUE(a, b)	MINI_PASTE(a, b)
#define MODULE_INFO(tag, text)	\
	static const char MINI_UNIQUE(__modinfo_, __COUNTER__)[] \
	__attribute__((used, section(".modinfo"))) = #tag "=" text
#define MODULE_LICENSE(s)	MODULE_INFO(license, s)
#define MODULE_DESCRIPTION(s)	MODULE_INFO(description, s)
#define MODULE_IMPORT_NS(ns)	MODULE_INFO(import_ns, #ns)
#define module_init(fn)		int init_module(void) __attribute__((alias(#fn)))
#define module_exit(fn)		void cleanup_module(void) __attribute__((alias(#fn)))

struct module {
	char name[56];
};

struct module __this_module __attribute__((section(".gnu.linkonce.this_module")));
#define THIS_MODULE		(&__this_module)

#endif
