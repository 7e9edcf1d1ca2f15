"""From results to a table, and the verdict on each target. What is judged is the number as it was measured, not as it is
shown."""

import statistics
from dataclasses import dataclass

import matrix

FORMAT = 2  # of results.json; others are not read


def cpu_per_message(sample):
    return sum(sample["cpu"]) / sample["count"]


def per_second(sample):
    return sample["count"] / sample["ns"] * 1e9


def median(rounds, name, value):
    return statistics.median(value(a_round[name]) for a_round in rounds)


def ratios(rounds, what, against, value):
    """One for each round, the least first."""
    return sorted(value(a_round[what]) / value(a_round[against]) for a_round in rounds)


@dataclass(frozen=True)
class Comparison:
    row: matrix.Row
    rounds: list
    failed: str  # why there is nothing to compare; empty if there is

    @property
    def ratios(self):
        return ratios(self.rounds, self.row.what.name, self.row.against.name, cpu_per_message)

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def throughput(self):
        return statistics.median(ratios(self.rounds, self.row.what.name, self.row.against.name, per_second))

    @property
    def verdict(self):
        if self.row.target is None:
            return ""
        return "failed" if self.failed else judgement(self.ratio <= self.row.target)


def comparisons(results):
    """Of all rows that were measured."""
    for row in matrix.ROWS:
        part = results.get(str(row.load))
        if part is not None:
            why = [f"{subject.name} failed: {part['failed'][subject.name]}"
                   for subject in (row.what, row.against) if subject.name in part["failed"]]
            yield Comparison(row, part["rounds"], "; ".join(why))


def judgement(met):
    return "met" if met else "not met"


def shown(number, target=None, unit=""):
    """With as many digits as it takes to see on which side of the target it is."""
    digits = 2
    while target is not None and digits < 6 and (round(number, digits) <= target) != (number <= target):
        digits += 1
    return f"{number:.{digits}f}{unit}"


def cells(*contents):
    return "| " + " | ".join(content.replace("|", "\\|") for content in contents) + " |"


def heading(*contents):
    return [cells(*contents), "|" + "---|" * len(contents)]


def table(results):
    verdicts_found = list(judged(results))
    lines = [*comparison_table(results), *growth_table(results), *memory_tables(results), *gap_table(results)]
    if verdicts_found:
        lines.append(summary(verdicts_found) + " (`make bench` prints each.)")
    return "\n".join(lines) + "\n"


def comparison_table(results):
    lines = heading("what", "load", "against", "CPU each", "of the other", "ratio (least to most)", "throughput", "target",
                    "")
    found = list(comparisons(results))
    for one in found:
        row = one.row
        target = "" if row.target is None else f"≤ {row.target:.2f}"
        if one.failed:
            lines.append(cells(row.what.name, str(row.load), row.against.name, "", "", one.failed, "", target, one.verdict))
            continue
        mine, theirs = (median(one.rounds, name, cpu_per_message) / 1000 for name in (row.what.name, row.against.name))
        lines.append(cells(
            row.what.name, str(row.load), row.against.name, f"{mine:.1f} µs", f"{theirs:.1f} µs",
            f"{shown(one.ratio, row.target)} ({one.ratios[0]:.2f} to {one.ratios[-1]:.2f})", f"× {one.throughput:.2f}",
            target, one.verdict))
    return lines + [""] if found else []


def growth_table(results):
    points = results.get("growth", [])
    if not points:
        return []
    lines = heading(f"CPU per message of {matrix.GROWTH_SIZE} B, 1 in flight",
                    *(f"{point['connections']:,} connections" for point in points))
    for subject in matrix.GROWTH:
        lines.append(cells(subject.name, *(
            f"failed: {point['failed'][subject.name]}" if subject.name in point["failed"]
            else f"{median(point['rounds'], subject.name, cpu_per_message) / 1000:.1f} µs" for point in points)))
    return lines + [""]


def growth_curves(results):
    """Connections, and microseconds of CPU per message for each number of them, by subject."""
    points = results.get("growth", [])
    return [point["connections"] for point in points], {
        subject.name: [median(point["rounds"], subject.name, cpu_per_message) / 1000 for point in points]
        for subject in matrix.GROWTH if points and not any(subject.name in point["failed"] for point in points)}


# Memory

def at_target(memory):
    """Which of the numbers of connections the targets are for: the highest up to MEMORY_TARGET_COUNT."""
    return max(i for i, count in enumerate(memory["connections"]) if i == 0 or count <= matrix.MEMORY_TARGET_COUNT)


@dataclass(frozen=True)
class MemoryVerdict:
    what: str
    text: str
    verdict: str


def memory_verdicts(memory, state):
    """Of the targets for connections that are `fresh` or `used`."""
    at = at_target(memory)

    def judge(what, against, number, target, number_shown, target_shown):
        why = [f"{name} failed" for name in (what, against) if name in memory["failed"]]
        if why:
            return MemoryVerdict(what, "; ".join(why), "failed")
        return MemoryVerdict(what, f"{number_shown(number())} (≤ {target_shown})", judgement(number() <= target))

    def size(name):
        return memory["bytes"][name][at]

    for of_state, what, against, target in matrix.MEMORY_TARGETS:
        if of_state == state:
            yield judge(what.name, against.name, lambda: size(what.name) / size(against.name), target,
                        lambda number: f"{shown(number, target)} of {against.name}", f"{target:.2f}")
    for of_state, what, limit in matrix.MEMORY_LIMITS:
        if of_state == state:
            yield judge(what.name, what.name, lambda: size(what.name) / 1024, limit / 1024,
                        lambda number: shown(number, limit / 1024, " KiB"), f"{limit / 1024:.0f} KiB")


def memory_tables(results):
    lines = []
    for state, memory in results.get("memory", {}).items():
        counts = memory["connections"]
        found = {verdict.what: f"{verdict.text}: {verdict.verdict}" for verdict in memory_verdicts(memory, state)}
        lines += heading(f"memory of an idle connection, {state}", *(f"{count:,} connections" for count in counts),
                         f"target, with {counts[at_target(memory)]:,}")
        for name, sizes in memory["bytes"].items():
            shown_sizes = ([f"{size / 1024:.1f} KiB" for size in sizes] if sizes
                           else [f"failed: {memory['failed'][name]}"] + [""] * (len(counts) - 1))
            lines.append(cells(name, *shown_sizes, found.get(name, "")))
        lines.append("")
    return lines


# The event loop

def gap_table(results):
    if "event loop" not in results:
        return []
    part = results["event loop"]
    lines = heading("longest event-loop gap", "in time", "in CPU time", "idle connections", "upgrades", "target", "")
    for name, gap in part["gaps"].items():
        target = f"< {matrix.GAP_TARGET * 1000:.0f} ms" if name != matrix.STOCK.name else ""
        if gap is None:
            lines.append(cells(name, f"failed: {part['failed'][name]}", "", "", "", target, "failed" if target else ""))
            continue
        lines.append(cells(name, f"{gap['wall'] * 1000:.1f} ms", f"{gap['cpu'] * 1000:.1f} ms", f"{gap['connections']:,}",
                           f"{gap['upgrades']:,}", target, judgement(gap["wall"] < matrix.GAP_TARGET) if target else ""))
    return lines + [""]


# The targets

def judged(results):
    """A verdict and what it is about, for each target."""
    for one in comparisons(results):
        if one.row.target is not None:
            found = one.failed or f"{shown(one.ratio, one.row.target)} (≤ {one.row.target:.2f})"
            yield one.verdict, f"{one.row.what.name} against {one.row.against.name}, {one.row.load}: {found}"
    for state, memory in results.get("memory", {}).items():
        count = memory["connections"][at_target(memory)]
        for one in memory_verdicts(memory, state):
            yield one.verdict, f"memory of {one.what}, {count:,} idle connections, {state}: {one.text}"
    if "event loop" in results:
        for name, gap in results["event loop"]["gaps"].items():
            if name != matrix.STOCK.name:
                limit = f"(< {matrix.GAP_TARGET * 1000:.0f} ms)"
                found = f"{gap['wall'] * 1000:.1f} ms {limit}" if gap else f"{name} failed"
                yield (judgement(gap["wall"] < matrix.GAP_TARGET) if gap else "failed",
                       f"longest event-loop gap, {name}: {found}")


def verdicts(results):
    """One line for each target."""
    found = list(judged(results))
    return "\n".join([*(f"{verdict}: {text}" for verdict, text in found), summary(found)]) if found else ""


def summary(found):
    met, failed = (sum(verdict == wanted for verdict, _ in found) for wanted in ("met", "failed"))
    return (f"Of {len(found)} targets {met} are met" + (f", {failed} could not be measured" if failed else "") +
            ".")


def failures(results):
    """True if something could not be measured."""
    def any_failed(part):
        if isinstance(part, dict):
            return bool(part.get("failed")) or any(map(any_failed, part.values()))
        return isinstance(part, list) and any(map(any_failed, part))

    return any_failed(results)
