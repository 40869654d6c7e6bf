/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The system's journal: an entry for each change of this host, with fields that
 * programs can filter by.  The protocol is the journal's own, one datagram for an
 * entry; where there is no journal it is a line for syslog.
 */
#ifndef _KGR_JOURNAL_H
#define _KGR_JOURNAL_H

#include "kgr-ctl.h"

#define KGR_JOURNAL_SOCKET	"/run/systemd/journal/socket"

/*
 * The command of ctx has ended with @ret: records what it has changed, or tried to.
 * That nothing can be recorded is no reason for it to fail.
 */
void kgr_journal_command(struct kgr_ctx *ctx, enum kgr_exit ret);

#endif /* _KGR_JOURNAL_H */
