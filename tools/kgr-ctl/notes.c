// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "notes.h"

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

int kgr_notes_build_id(const void *notes, size_t len, char *hex, size_t size)
{
	const unsigned char *p = notes;

	while (len) {
		size_t name, desc;
		Elf64_Nhdr note;

		if (len < sizeof(note))
			return -EBADMSG;
		memcpy(&note, p, sizeof(note));
		p += sizeof(note);
		len -= sizeof(note);
		name = align4(note.n_namesz);
		desc = align4(note.n_descsz);
		/* padding after the last note may be missing */
		if (name > len || note.n_descsz > len - name)
			return -EBADMSG;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(p, "GNU", 4)) {
			if (size < 2 * (size_t)note.n_descsz + 1)
				return -ENOSPC;
			hex[0] = 0;
			for (size_t i = 0; i < note.n_descsz; i++)
				snprintf(hex + 2 * i, 3, "%02x", p[name + i]);
			return 0;
		}
		if (desc > len - name)
			break;
		p += name + desc;
		len -= name + desc;
	}
	return -ENOENT;
}
