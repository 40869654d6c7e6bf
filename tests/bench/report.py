#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# Make tables, JSON and plots of what the guests of scripts/bench have printed.
#
#	report.py DIRECTORY
#
# Reads DIRECTORY/*.out, lines of a word and NAME=VALUE words; writes the tables to
# stdout and DIRECTORY/bench.json, functions.svg and tasks.svg. Ratios come first:
# they are taken in one run and repeat; times depend on the machine.

import json
import math
import os
import statistics
import sys

CALLS = 100  # turns of the loop that one figure of a cost is for


def read(directory):
    rows = []
    for name in sorted(os.listdir(directory)):
        if not name.endswith('.out'):
            continue
        with open(os.path.join(directory, name), encoding='ascii') as file:
            for line in file:
                words = line.split()
                if len(words) < 2 or not all('=' in word for word in words[1:]):
                    continue
                row = {'what': words[0]}
                for word in words[1:]:
                    key, value = word.split('=', 1)
                    row[key] = int(value) if value.lstrip('-').isdigit() else value
                rows.append(row)
    return rows


def pick(rows, field, **wanted):
    return [row[field] for row in rows
            if all(row.get(key) == value for key, value in wanted.items())]


def median(values):
    return statistics.median(values) if values else None


def ms(value):
    return '-' if value is None else f'{value / 1e6:.2f}'


def ratio(theirs, ours):
    return '-' if not ours or theirs is None else f'{theirs / ours:.1f}'


def table(title, head, lines):
    if not lines:
        return
    width = [max(len(str(line[i])) for line in [head] + lines) for i in range(len(head))]
    print(f'\n{title}')
    for line in [head] + lines:
        print('  ' + '  '.join(str(cell).ljust(width[i]) if i == 0 else
                               str(cell).rjust(width[i]) for i, cell in enumerate(line)))


def costs(rows, out):
    found = {row['state']: row['least'] for row in rows if row['what'] == 'cost'}
    if 'unpatched' not in found:
        return
    base = found['unpatched']
    lines = []
    for state, least in found.items():
        added = (least - base) / CALLS
        lines.append([state, f'{added:+.2f}', f'{least / CALLS:.2f}'])
        out[state] = {'per_call': least / CALLS, 'added': added}
    table('Instructions of a call of a patched function (loop included)',
          ['state', 'added', 'per call'], lines)


def functions(rows, out):
    rows = [row for row in rows if row['what'] == 'functions']
    for field, title in (('enable', 'Enabling N functions: the enabling call'),
                         ('applied', 'Enabling N functions: until all have migrated, module loaded'),
                         ('disable', 'Reverting N functions: the call'),
                         ('reverted', 'Reverting N functions: until all have migrated')):
        lines = []
        for count in sorted({row['count'] for row in rows}):
            ours = median(pick(rows, field, system='kgraft', count=count))
            theirs = median(pick(rows, field, system='livepatch', count=count))
            lines.append([count, ratio(theirs, ours), ms(ours), ms(theirs),
                          len(pick(rows, field, system='kgraft', count=count))])
            out.setdefault(field, {})[count] = {'kgraft_ns': ours, 'livepatch_ns': theirs}
        table(title, ['functions', 'livepatch/kgraft', 'kgraft ms', 'livepatch ms', 'runs'], lines)
    lines = []
    for count in sorted({row['count'] for row in rows}):
        ours = median(pick(rows, 'ipis', system='kgraft', count=count))
        theirs = median(pick(rows, 'ipis', system='livepatch', count=count))
        lines.append([count, ratio(theirs, ours), ours, theirs])
        out.setdefault('ipis', {})[count] = {'kgraft': ours, 'livepatch': theirs}
    table('Enabling N functions: interrupts between CPUs, all CPUs together',
          ['functions', 'livepatch/kgraft', 'kgraft', 'livepatch'], lines)


def tasks(rows, out):
    rows = [row for row in rows if row['what'] == 'tasks']
    lines = []
    for load in sorted({row['load'] for row in rows}):
        for count in sorted({row['count'] for row in rows if row['load'] == load}):
            theirs = pick(rows, 'last', system='livepatch', load=load, count=count)
            for model in ('hybrid', 'universe'):
                ours = pick(rows, 'last', model=model, load=load, count=count)
                if not ours:
                    continue
                lines.append([f'{load}, {count} sleepers, {model}',
                              ratio(median(theirs), median(ours)), ms(median(ours)),
                              ms(max(ours)), ms(median(theirs)), len(ours)])
                out.setdefault(load, {}).setdefault(model, {})[count] = {
                    'kgraft_ns': ours, 'livepatch_ns': theirs}
    table('Until the last context has migrated, from the call on (medians)',
          ['situation', 'livepatch/kgraft', 'kgraft ms', 'worst', 'livepatch ms', 'runs'], lines)


# What a task costs must not grow with the number of functions by more than this
GROWTH = 1.2


def pertask(rows, out):
    """Differences between many sleepers and few: what does not depend on them falls out"""
    rows = [row for row in rows if row['what'] == 'pertask']
    lines = []
    for model in sorted({row['model'] for row in rows}):
        for direction in sorted({row['direction'] for row in rows}):
            cost = {}
            for functions in sorted({row['functions'] for row in rows}):
                counts = sorted({row['count'] for row in rows})
                few, many = (min(pick(rows, 'instructions', model=model, direction=direction,
                                      functions=functions, count=count))
                             for count in (counts[0], counts[-1]))
                cost[functions] = (many - few) / (counts[-1] - counts[0])
            least, most = min(cost), max(cost)
            growth = cost[most] / cost[least]
            lines.append([f'{model}, {direction}', f'{growth:.3f}'] +
                         [f'{cost[functions]:.0f}' for functions in (least, most)])
            out.setdefault(model, {})[direction] = {'per_task': cost, 'growth': growth}
    table('Instructions for each sleeping task, of patches of one and of many functions',
          ['transition', 'growth', 'one function', 'many'], lines)
    return all(found['growth'] <= GROWTH for model in out.values() for found in model.values())


def latencies(rows, out):
    rows = [row for row in rows if row['what'] == 'latency']
    lines = []
    for count in sorted({row['count'] for row in rows}):
        ours = median(pick(rows, 'worst', system='kgraft', count=count))
        theirs = median(pick(rows, 'worst', system='livepatch', count=count))
        quiet = median(pick(rows, 'quiet', count=count))
        lines.append([count, '-' if not theirs else f'{ours / theirs:.2f}', ms(ours), ms(theirs),
                      ms(quiet), len(pick(rows, 'worst', system='kgraft', count=count))])
        out[count] = {'kgraft_ns': ours, 'livepatch_ns': theirs, 'quiet_ns': quiet}
    table('Worst latency of a thread that runs each millisecond, during apply (median of runs)',
          ['functions', 'kgraft/livepatch', 'kgraft ms', 'livepatch ms', 'nothing going on', 'runs'],
          lines)


def memory(rows, out):
    lines = []
    for row in rows:
        if row['what'] == 'memory':
            lines.append([row['of'].replace('_', ' '), row['bytes']])
            out[row['of']] = row['bytes']
    table('Memory', ['what', 'bytes'], lines)


def plot(path, title, axis, series):
    """Log-log lines; series: name, colour, [(x, y in ms)]"""
    points = [p for _, _, line in series for p in line if p[1] > 0]
    if not points:
        return
    w, h, left, top, right, bottom = 640, 400, 70, 40, 160, 50
    lx = [math.log10(x) for x, _ in points]
    ly = [math.log10(y) for _, y in points]
    x0, x1 = min(lx), max(max(lx), min(lx) + 0.1)
    y0, y1 = math.floor(min(ly)), math.ceil(max(max(ly), min(ly) + 0.1))

    def at(x, y):
        return (left + (math.log10(x) - x0) / (x1 - x0) * (w - left - right),
                h - bottom - (math.log10(y) - y0) / (y1 - y0) * (h - top - bottom))

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{w}" height="{h}" fill="white"/>',
           f'<text x="{left}" y="20" font-size="14">{title}</text>']
    for power in range(y0, y1 + 1):
        y = at(10 ** x0, 10.0 ** power)[1]
        svg.append(f'<line x1="{left}" y1="{y:.1f}" x2="{w - right}" y2="{y:.1f}" stroke="#ddd"/>')
        svg.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
    for x in sorted({x for x, _ in points}):
        px = at(x, 10.0 ** y0)[0]
        svg.append(f'<text x="{px:.1f}" y="{h - bottom + 18}" text-anchor="middle">{x}</text>')
    svg.append(f'<text x="{(left + w - right) / 2}" y="{h - 10}" text-anchor="middle">{axis}</text>')
    svg.append(f'<text x="16" y="{h / 2}" transform="rotate(-90 16 {h / 2})" '
               'text-anchor="middle">milliseconds</text>')
    for number, (name, colour, line) in enumerate(series):
        line = [at(x, y) for x, y in sorted(line) if y > 0]
        svg.append('<polyline fill="none" stroke-width="2" stroke="%s" points="%s"/>' % (
            colour, ' '.join(f'{x:.1f},{y:.1f}' for x, y in line)))
        svg += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in line]
        y = top + 18 * number
        svg.append(f'<line x1="{w - right + 10}" y1="{y}" x2="{w - right + 30}" y2="{y}" '
                   f'stroke="{colour}" stroke-width="2"/>')
        svg.append(f'<text x="{w - right + 36}" y="{y + 4}">{name}</text>')
    svg.append('</svg>')
    with open(path, 'w', encoding='ascii') as file:
        file.write('\n'.join(svg) + '\n')


def line_of(rows, field, **wanted):
    points = {}
    for row in rows:
        if all(row.get(key) == value for key, value in wanted.items()):
            points.setdefault(row['count'], []).append(row[field])
    return [(x, median(ys) / 1e6) for x, ys in points.items()]


def main():
    directory = sys.argv[1]
    rows = read(directory)
    out = {'schema': 2}
    bad = []
    for name, make in (('instructions', costs), ('functions', functions), ('tasks', tasks),
                       ('pertask', pertask), ('latency', latencies), ('memory', memory)):
        out[name] = {}
        if make(rows, out[name]) is False:
            bad.append(name)
    out['rows'] = rows
    with open(os.path.join(directory, 'bench.json'), 'w', encoding='ascii') as file:
        json.dump(out, file, indent=1)
        file.write('\n')
    plot(os.path.join(directory, 'functions.svg'), 'Enabling a patch: the enabling call',
         'functions', [
             ('kGraft', '#0a7', line_of(rows, 'enable', what='functions', system='kgraft')),
             ('livepatch', '#c30', line_of(rows, 'enable', what='functions', system='livepatch'))])
    plot(os.path.join(directory, 'tasks.svg'), 'Until the last context has migrated', 'tasks asleep', [
        ('kGraft, hybrid', '#0a7', line_of(rows, 'last', what='tasks', model='hybrid', load='idle')),
        ('kGraft, universe', '#07a', line_of(rows, 'last', what='tasks', model='universe', load='idle')),
        ('livepatch', '#c30', line_of(rows, 'last', what='tasks', system='livepatch', load='idle'))])
    for name in bad:
        print(f'report.py: {name} is not what it has to be', file=sys.stderr)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
