"""The compiled relational join behind the cryptarithm solver.

State: `assigned`, a 64-bit integer with one nibble (digit) per glyph, and `used`, a bit per digit. Every value equation
contributes its catalog rows in the same packed form, grouped by rule and bucketed by the digits of up to three glyphs
that earlier equations have fixed; the join walks the equations depth first and, at every complete assignment, adds
its weight to the answer that it gives. Compilation takes some ten seconds once and is cached beside the module.
"""

import numpy as np

from common.compiled import compiled
from puzzles.equations.rules import GROUPS, VALUE_RULES

N_RULES = len(VALUE_RULES)
BUCKETS = 1000
TABLE_BITS = 20
# Function codes, as `compute` reads them.
_CODES = ("add", "add+1", "add-1", "sub", "rsub", "abs", "negabs", "absneg", "mod", "mul", "mul+1", "mul-1")
RULE_CODE = np.array([_CODES.index(rule.base) for rule in VALUE_RULES], dtype=np.int64)
RULE_GROUP = np.array([1 << GROUPS.index(rule.group) for rule in VALUE_RULES], dtype=np.int64)
POPCOUNT = np.array([bin(i).count("1") for i in range(1024)], dtype=np.int64)
# What a template's kind bits say about the answer.
VALUE, JOIN, SWAP, NONE = 0, 1, 2, 3
# The rule slot of the key of an accumulated cell: rules 0..21, joins 22 and 23, 31 for none.
JOIN_CODE, SWAP_CODE, NO_CODE = N_RULES, N_RULES + 1, 31
END = 15


@compiled
def compute(code, x, y):
    """The signed number of a rule and whether its minus is written behind (1) or in front (0)."""
    if code == 0:
        return x + y, 0
    if code == 1:
        return x + y + 1, 0
    if code == 2:
        return x + y - 1, 0
    if code == 3:
        return x - y, 0
    if code == 4:
        return y - x, 1
    if code == 5:
        return abs(x - y), 0
    if code == 6:
        return -abs(x - y), 0
    if code == 7:
        return -abs(x - y), 1
    if code == 8:
        return max(x, y) % min(x, y), 0
    if code == 9:
        return x * y, 0
    if code == 10:
        return x * y + 1, 0
    return x * y - 1, 0


@compiled
def _template(number, side, flip, glyph_of, used, digits, named):
    """The printed output as glyph indices: four nibbles, then sign, place of a still nameless zero, zero used.

    digits, named: room for four integers each.
    """
    sign = 0
    if number < 0:
        sign = 1 + side
        number = -number
    n = 0
    while True:
        digits[n] = number % 10
        n += 1
        number //= 10
        if number == 0:
            break
    text = 0
    names = 0
    zero = 0
    for i in range(4):
        if i >= n:
            text = (text << 4) | END
            continue
        digit = digits[i] if flip else digits[n - 1 - i]
        glyph = glyph_of[digit]
        if glyph < 0:
            found = -1
            for j in range(names):
                if named[j] == digit:
                    found = j
            if found < 0:
                found = names
                named[names] = digit
                names += 1
                if digit == 0:
                    zero = names
            glyph = 10 + found
        text = (text << 4) | glyph
    return (((((text << 2) | sign) << 3) | zero) << 1) | (used & 1)


@compiled
def _add(key, mass, assigned, keys, masses, samples, touched, count):
    """Add `mass` to the cell of `key`; returns the number of cells, or -1 when the table is full."""
    size = keys.shape[0]
    place = (np.uint64(key) * np.uint64(11400714819323198485)) >> np.uint64(64 - TABLE_BITS)
    while keys[place] != -1:
        if keys[place] == key:
            masses[place] += mass
            return count
        place = (place + np.uint64(1)) & np.uint64(size - 1)
    if count >= touched.shape[0]:
        return -1
    keys[place] = key
    masses[place] = mass
    samples[place] = assigned
    touched[count] = place
    return count + 1


@compiled
def gather(rule, letters, wanted, glyphs, nonzero):
    """Catalog rows of one equation as (packed nibbles, digit sets, starts per rule).

    rule, letters: the catalog rows of the equation's signature. wanted (22): the rules to keep. glyphs:
    the glyph index of each letter. nonzero: bit set of glyphs that cannot be 0; rows that need it are left out.
    """
    packed = np.empty(rule.shape[0], dtype=np.uint64)
    digits = np.empty(rule.shape[0], dtype=np.int64)
    starts = np.zeros(N_RULES + 1, dtype=np.int64)
    n = 0
    for row in range(rule.shape[0]):
        if not wanted[rule[row]]:
            continue
        here = np.uint64(0)
        digit_set = 0
        good = True
        for k in range(glyphs.shape[0]):
            digit = letters[row, k]
            if digit == 0 and nonzero & (1 << glyphs[k]):
                good = False
            here |= np.uint64(digit) << np.uint64(4 * glyphs[k])
            digit_set |= 1 << digit
        if good:
            packed[n] = here
            digits[n] = digit_set
            n += 1
            starts[rule[row] + 1] += 1
    for k in range(N_RULES):
        starts[k + 1] += starts[k]
    return packed[:n], digits[:n], starts


@compiled
def search(
    flip, slot_of, starts, packed, digits, nibbles, glyph_sets, n_slots, mode_rules, factor, base, known, known_set,
    kind, query, query_free, nonzero, query_factor, complete, complete_unasked, budget,
    keys, masses, samples, touched,
):  # fmt: skip
    """Enumerate one mode. Returns (cells, leaves, nodes, exhausted).

    flip: 0 or 1. slot_of (E): operator slot per equation, in join order. starts (E, 23): rows of each rule. packed,
    digits (N): rows as nibbles and as digit sets. nibbles (E): nibble mask of an equation's glyphs; glyph_sets (E): the
    same as a bit per glyph. mode_rules: rule indices of this mode. factor (2, S, 22): share of a rule per regime and
    slot; base (2, 5): regime weight by number of value operators. known, known_set: digits given beforehand.
    kind: 0 the query's slot is `query[4]`, 3 nothing is asked, 1 its operator is unseen (all rules and joins).
    query (5): glyphs of x tens, x units, y tens, y units; slot. query_free: its glyphs that no equation fixes; nonzero:
    bit set of glyphs that cannot be 0. query_factor (2, 24): shares of an unseen operator's rules. complete (2) and
    complete_unasked (2): ways to name the remaining glyphs with the query's fixed or not, by whether 0 is used.
    keys, masses, samples, touched: the open hash table of accumulated cells.
    """
    n_eq = slot_of.shape[0]
    offsets = np.zeros((n_eq, N_RULES, BUCKETS + 1), dtype=np.int32)
    sorted_packed = np.empty_like(packed)
    sorted_digits = np.empty_like(digits)
    shared_mask = np.zeros(n_eq, dtype=np.uint64)
    shared_count = np.zeros(n_eq, dtype=np.int64)
    key_glyph = np.zeros((n_eq, 3), dtype=np.int64)
    key_length = np.zeros(n_eq, dtype=np.int64)
    before = known_set
    for e in range(n_eq):
        for glyph in range(10):
            if before & glyph_sets[e] & (1 << glyph):
                shared_mask[e] |= np.uint64(15) << np.uint64(4 * glyph)
                shared_count[e] += 1
                if key_length[e] < 3:
                    key_glyph[e, key_length[e]] = glyph
                    key_length[e] += 1
        before |= glyph_sets[e]
        for rule in mode_rules:
            first, last = starts[e, rule], starts[e, rule + 1]
            for row in range(first, last):
                bucket = 0
                for k in range(key_length[e]):
                    bucket = bucket * 10 + np.int64((packed[row] >> np.uint64(4 * key_glyph[e, k])) & np.uint64(15))
                offsets[e, rule, bucket + 1] += 1
            offsets[e, rule, 0] = first
            buckets = 10 ** key_length[e]
            for bucket in range(buckets):
                offsets[e, rule, bucket + 1] += offsets[e, rule, bucket]
            fill = offsets[e, rule, :buckets].copy()
            for row in range(first, last):
                bucket = 0
                for k in range(key_length[e]):
                    bucket = bucket * 10 + np.int64((packed[row] >> np.uint64(4 * key_glyph[e, k])) & np.uint64(15))
                sorted_packed[fill[bucket]] = packed[row]
                sorted_digits[fill[bucket]] = digits[row]
                fill[bucket] += 1
    fixed = before

    rule_of = np.full(max(n_slots, 1), -1, dtype=np.int64)
    owner = np.zeros(n_eq + 1, dtype=np.int64)
    at_rule = np.full(n_eq + 1, -1, dtype=np.int64)
    position = np.zeros(n_eq + 1, dtype=np.int64)
    end = np.zeros(n_eq + 1, dtype=np.int64)
    state = np.zeros(n_eq + 1, dtype=np.uint64)
    used = np.zeros(n_eq + 1, dtype=np.int64)
    groups = np.zeros(n_eq + 2, dtype=np.int64)
    weight = np.ones((n_eq + 2, 2))
    state[0] = known
    for glyph in range(10):
        if known_set & (1 << glyph):
            used[0] |= 1 << np.int64((known >> np.uint64(4 * glyph)) & np.uint64(15))
    glyph_of = np.empty(10, dtype=np.int64)
    digit_of = np.zeros(10, dtype=np.int64)
    chosen = np.zeros(5, dtype=np.int64)
    scratch = np.zeros((2, 4), dtype=np.int64)
    n_free = query_free.shape[0]
    cells, leaves, nodes = 0, 0, 0
    depth = 0
    owner[0] = 1
    while depth >= 0:
        if depth < n_eq:
            if position[depth] >= end[depth]:
                slot = slot_of[depth]
                following = -1
                if owner[depth]:
                    for k in range(at_rule[depth] + 1, mode_rules.shape[0]):
                        rule = mode_rules[k]
                        if groups[depth] & RULE_GROUP[rule] or starts[depth, rule] == starts[depth, rule + 1]:
                            continue
                        if factor[0, slot, rule] + factor[1, slot, rule] > 0.0:
                            following = k
                            break
                    if following < 0:
                        rule_of[slot] = -1
                    else:
                        at_rule[depth] = following
                        rule = mode_rules[following]
                        rule_of[slot] = rule
                        groups[depth + 1] = groups[depth] | RULE_GROUP[rule]
                        weight[depth + 1, 0] = weight[depth, 0] * factor[0, slot, rule]
                        weight[depth + 1, 1] = weight[depth, 1] * factor[1, slot, rule]
                elif at_rule[depth] < 0:
                    following = 0
                    at_rule[depth] = 0
                    groups[depth + 1] = groups[depth]
                    weight[depth + 1, 0] = weight[depth, 0]
                    weight[depth + 1, 1] = weight[depth, 1]
                if following < 0:
                    depth -= 1
                    continue
                rule = rule_of[slot]
                if key_length[depth] == 0:
                    position[depth], end[depth] = starts[depth, rule], starts[depth, rule + 1]
                else:
                    bucket = 0
                    for k in range(key_length[depth]):
                        bucket = bucket * 10 + np.int64(
                            (state[depth] >> np.uint64(4 * key_glyph[depth, k])) & np.uint64(15)
                        )
                    position[depth], end[depth] = offsets[depth, rule, bucket], offsets[depth, rule, bucket + 1]
                continue
            row = position[depth]
            position[depth] += 1
            nodes += 1
            if nodes > budget:
                return cells, leaves, nodes, 0
            here = sorted_packed[row]
            if (here ^ state[depth]) & shared_mask[depth]:
                continue
            if POPCOUNT[sorted_digits[row] & used[depth]] != shared_count[depth]:
                continue
            state[depth + 1] = state[depth] | (here & nibbles[depth])
            used[depth + 1] = used[depth] | sorted_digits[row]
            depth += 1
            if depth < n_eq:
                slot = slot_of[depth]
                owner[depth] = 1 if rule_of[slot] < 0 else 0
                at_rule[depth] = -1
                position[depth] = 0
                end[depth] = 0
                continue
        # A complete assignment of every glyph of the value equations.
        combination = 0
        for slot in range(n_slots):
            combination = (combination << 5) | rule_of[slot]
        base_weight = base[0, n_slots] * weight[depth, 0] + base[1, n_slots] * weight[depth, 1]
        taken = used[depth]
        if kind == 3:
            if base_weight > 0.0:
                leaves += 1
                cells = _add(
                    ((combination << 5 | NO_CODE) << 24) | (NONE << 22), base_weight * complete_unasked[taken & 1],
                    state[depth], keys, masses, samples, touched, cells,
                )  # fmt: skip
        else:
            for digit in range(10):
                glyph_of[digit] = -1
            for glyph in range(10):
                if fixed & (1 << glyph):
                    digit = np.int64((state[depth] >> np.uint64(4 * glyph)) & np.uint64(15))
                    glyph_of[digit] = glyph
                    digit_of[glyph] = digit
            if kind == 1:
                ways = complete_unasked[taken & 1]
                for k in range(2):
                    mass = (
                        base[0, n_slots] * weight[depth, 0] * query_factor[0, N_RULES + k]
                        + base[1, n_slots] * weight[depth, 1] * query_factor[1, N_RULES + k]
                    ) * ways
                    if mass > 0.0 and cells >= 0:
                        leaves += 1
                        cells = _add(
                            ((combination << 5 | (JOIN_CODE + k)) << 24) | ((JOIN + k) << 22), mass,
                            state[depth], keys, masses, samples, touched, cells,
                        )  # fmt: skip
            k = 0
            chosen[0] = -1
            while k >= 0:
                if k < n_free:
                    glyph = query_free[k]
                    if chosen[k] >= 0:
                        taken ^= 1 << chosen[k]
                        glyph_of[chosen[k]] = -1
                    digit = chosen[k] + 1
                    if digit == 0 and nonzero & (1 << glyph):
                        digit = 1
                    while digit < 10 and taken & (1 << digit):
                        digit += 1
                    if digit > 9:
                        k -= 1
                        continue
                    chosen[k] = digit
                    taken |= 1 << digit
                    glyph_of[digit] = glyph
                    digit_of[glyph] = digit
                    k += 1
                    chosen[k] = -1
                    if k < n_free:
                        continue
                x = 10 * digit_of[query[0]] + digit_of[query[1]]
                y = 10 * digit_of[query[2]] + digit_of[query[3]]
                nodes += 1
                now = state[depth]
                for j in range(n_free):
                    now |= np.uint64(digit_of[query_free[j]]) << np.uint64(4 * query_free[j])
                if kind == 0:
                    leaves += 1
                    number, side = compute(RULE_CODE[rule_of[query[4]]], x, y)
                    text = _template(number, side, flip, glyph_of, taken, scratch[0], scratch[1])
                    cells = _add(
                        ((combination << 5 | NO_CODE) << 24) | text, base_weight * complete[taken & 1],
                        now, keys, masses, samples, touched, cells,
                    )  # fmt: skip
                else:
                    for rule in mode_rules:
                        if groups[depth] & RULE_GROUP[rule]:
                            continue
                        mass = (
                            base[0, n_slots + 1] * weight[depth, 0] * query_factor[0, rule]
                            + base[1, n_slots + 1] * weight[depth, 1] * query_factor[1, rule]
                        )
                        if mass <= 0.0 or cells < 0:
                            continue
                        leaves += 1
                        nodes += 1
                        number, side = compute(RULE_CODE[rule], x, y)
                        text = _template(number, side, flip, glyph_of, taken, scratch[0], scratch[1])
                        cells = _add(
                            ((combination << 5 | rule) << 24) | text, mass * complete[taken & 1],
                            now, keys, masses, samples, touched, cells,
                        )  # fmt: skip
                if cells < 0 or nodes > budget:
                    return touched.shape[0] if cells < 0 else cells, leaves, nodes, 0
                k = n_free - 1 if n_free else -1
        if cells < 0:
            return touched.shape[0], leaves, nodes, 0
        depth -= 1
    return cells, leaves, nodes, 1
