// SPDX-License-Identifier: GPL-2.0
/* Two lists of lines side by side: the longest common subsequence */
#include <stdlib.h>

#include "lines.h"

#define MAX_CELLS	(16u << 20)

static void push(struct arena *a, linevec *out, const char *old, const char *new)
{
	struct line_pair p = { old, new };

	vec_push(a, out, p);
}

static bool same(const strvec *x, size_t i, const strvec *y, size_t k)
{
	return !strcmp(x->v[i], y->v[k]);
}

/* best[i][k]: how much the lines from i and from k on have in common */
static void match_middle(struct arena *a, const strvec *x, size_t i, size_t n, const strvec *y,
			 size_t k, size_t m, linevec *out)
{
	size_t w = m - k + 1, i0 = i, k0 = k;
	uint16_t *best = NULL;

	if (n - i < UINT16_MAX && (n - i + 1) * w <= MAX_CELLS)
		best = calloc((n - i + 1) * w, sizeof(*best));
	for (size_t p = n; best && p-- > i0; )
		for (size_t q = m; q-- > k0; ) {
			uint16_t *at = &best[(p - i0) * w + q - k0];

			if (same(x, p, y, q))
				*at = at[w + 1] + 1;
			else
				*at = at[w] > at[1] ? at[w] : at[1];
		}
	while (best && i < n && k < m) {
		uint16_t *at = &best[(i - i0) * w + k - k0];

		if (same(x, i, y, k))
			push(a, out, x->v[i++], y->v[k++]);
		else if (at[w] >= at[1])
			push(a, out, x->v[i++], NULL);
		else
			push(a, out, NULL, y->v[k++]);
	}
	while (i < n)
		push(a, out, x->v[i++], NULL);
	while (k < m)
		push(a, out, NULL, y->v[k++]);
	free(best);
}

void lines_match(struct arena *a, const strvec *old, const strvec *new, linevec *out)
{
	size_t head = 0, n = old->n, m = new->n;

	while (head < n && head < m && same(old, head, new, head))
		push(a, out, old->v[head], new->v[head]), head++;
	while (n > head && m > head && same(old, n - 1, new, m - 1))
		n--, m--;
	match_middle(a, old, head, n, new, head, m, out);
	for (; n < old->n; n++, m++)
		push(a, out, old->v[n], new->v[m]);
}
