"""From results to a table, a plot, and the verdict on each target."""

import statistics

import matrix


def cpu_per_message(sample):
    return sum(sample["cpu"]) / sample["count"]


def per_second(sample):
    return sample["count"] / sample["ns"] * 1e9


def median(rounds, name, value):
    return statistics.median(value(a_round[name]) for a_round in rounds)


def ratios(rounds, what, against):
    """Of CPU, one for each round."""
    return sorted(cpu_per_message(a_round[what]) / cpu_per_message(a_round[against]) for a_round in rounds)


def measured(results, row):
    """The rounds that have both; empty when there are none."""
    rounds = results.get(str(row.load), [])
    return [a_round for a_round in rounds if row.what.name in a_round and row.against.name in a_round]


def judgement(met):
    return "met" if met else "not met"


def row_lines(results):
    for row in matrix.ROWS:
        rounds = measured(results, row)
        if not rounds:
            continue
        found = ratios(rounds, row.what.name, row.against.name)
        ratio = statistics.median(found)
        yield row, rounds, ratio, (found[0], found[-1])


def memory_at_target(results, state, what):
    """Connections, and bytes of each: where the targets are."""
    memory = results["memory"][state]
    at = min(len(memory["connections"]), len(matrix.MEMORY_COUNTS)) - 1
    return memory["connections"][at], memory["bytes"][what.name][at]


def memory_ratios(results):
    for state, what, against, target in matrix.MEMORY_TARGETS if "memory" in results else []:
        count, size = memory_at_target(results, state, what)
        yield state, what, against, count, size / memory_at_target(results, state, against)[1], target


def table(results):
    lines = ["| what | load | against | CPU each | of the other | ratio (least to most) | throughput | target | |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row, rounds, ratio, (least, most) in row_lines(results):
        mine, theirs = (median(rounds, name, cpu_per_message) / 1000 for name in (row.what.name, row.against.name))
        speed = median(rounds, row.what.name, per_second) / median(rounds, row.against.name, per_second)
        target = "" if row.target is None else f"≤ {row.target:.2f}"
        met = "" if row.target is None else judgement(round(ratio, 2) <= row.target)
        lines.append(f"| {row.what.name} | {row.load} | {row.against.name} | {mine:.1f} µs | {theirs:.1f} µs "
                     f"| {ratio:.2f} ({least:.2f} to {most:.2f}) | × {speed:.2f} | {target} | {met} |")
    lines.append("")
    lines += growth_table(results) + memory_table(results) + gap_table(results)
    return "\n".join(lines)


def growth_table(results):
    points = results.get("growth", [])
    if not points:
        return []
    lines = [f"| CPU per message of {matrix.GROWTH_SIZE} B, 1 in flight | " +
             " | ".join(f"{point['connections']:,} connections" for point in points) + " |",
             "|---|" + "---|" * len(points)]
    for subject in matrix.GROWTH:
        lines.append(f"| {subject.name} | " +
                     " | ".join(f"{value:.1f} µs" for value in growth_of(points, subject)) + " |")
    return lines + [""]


def growth_of(points, subject):
    """Microseconds of CPU per message, one for each number of connections."""
    return [median(point["rounds"], subject.name, cpu_per_message) / 1000 for point in points]


def memory_table(results):
    lines = []
    for state, memory in results.get("memory", {}).items():
        lines.append(f"| memory of an idle connection, {state} | " +
                     " | ".join(f"{n:,} connections" for n in memory["connections"]) + " |")
        lines.append("|---|" + "---|" * len(memory["connections"]))
        for name, sizes in memory["bytes"].items():
            lines.append(f"| {name} | " + " | ".join(f"{size / 1024:.1f} KiB" for size in sizes) + " |")
        lines.append("")
    return lines


def gap_table(results):
    if "event loop" not in results:
        return []
    lines = ["| longest event-loop gap | in CPU time | in time | upgrades |", "|---|---|---|---|"]
    for name, gap in results["event loop"].items():
        lines.append(f"| {name} | {gap['cpu'] * 1000:.1f} ms | {gap['wall'] * 1000:.1f} ms | {gap['upgrades']} |")
    return lines + [""]


def verdicts(results):
    """One line for each target."""
    lines = []
    for row, _, ratio, _ in row_lines(results):
        if row.target is not None:
            lines.append(f"{judgement(round(ratio, 2) <= row.target)}: {row.what.name} against {row.against.name}, "
                         f"{row.load}: {ratio:.2f} (≤ {row.target:.2f})")
    for state, what, against, count, ratio, target in memory_ratios(results):
        lines.append(f"{judgement(round(ratio, 2) <= target)}: memory of {what.name} against {against.name}, "
                     f"{count} idle connections, {state}: {ratio:.2f} (≤ {target:.2f})")
    for state, what, limit in matrix.MEMORY_LIMITS if "memory" in results else []:
        count, size = memory_at_target(results, state, what)
        lines.append(f"{judgement(size <= limit)}: memory of {what.name}, {count} idle connections, {state}: "
                     f"{size / 1024:.1f} KiB (≤ {limit / 1024:.0f} KiB)")
    for name, gap in results.get("event loop", {}).items():
        if name != matrix.STOCK.name:
            lines.append(f"{judgement(gap['cpu'] < matrix.GAP_TARGET)}: longest event-loop gap, {name}: "
                         f"{gap['cpu'] * 1000:.1f} ms (< {matrix.GAP_TARGET * 1000:.0f} ms)")
    return "\n".join(lines)


# The plot

COLOURS = {"stock": "#888888", "stock+64k": "#bbbbbb", "headers": "#1f6feb", "envelope": "#d2691e",
           "http": "#8250df"}
CHARTS_WIDTH, CHART_WIDTH, CHART_HEIGHT, MARGIN = 960, 400, 240, 60


def text(x, y, content, anchor="start", size=12):
    content = content.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{content}</text>'


def line(x1, y1, x2, y2, colour="#cccccc", dash=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-dasharray="{dash}"/>')


def curves(left, top, title, unit, counts, series):
    """One chart: a curve for each name, over the number of connections, from 0 up."""
    parts = [text(left, top - 14, title, size=14)]
    highest = max(max(values) for values in series.values()) * 1.15
    step = CHART_WIDTH / max(len(counts) - 1, 1)
    for part in range(5):
        y = top + CHART_HEIGHT * (1 - part / 4)
        parts += [line(left, y, left + CHART_WIDTH, y), text(left - 6, y + 4, f"{highest * part / 4:.1f}", "end")]
    for i, count in enumerate(counts):
        parts.append(text(left + i * step, top + CHART_HEIGHT + 18, f"{count:,}", "middle"))
    parts.append(text(left + CHART_WIDTH, top - 14, unit, "end"))
    for number, (name, values) in enumerate(series.items()):
        points = [(left + i * step, top + CHART_HEIGHT * (1 - value / highest)) for i, value in enumerate(values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        colour = COLOURS.get(name, "#000000")
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        y = top + CHART_HEIGHT + 40 + 16 * number
        parts += [f'<rect x="{left}" y="{y - 10}" width="12" height="12" fill="{colour}"/>', text(left + 18, y, name)]
    return parts


def bars(top, rows):
    """The ratios, each with its target."""
    parts = [text(MARGIN, top - 14, "CPU of the gateway, as a ratio; the mark is the target", size=14)]
    left, right = MARGIN + 380, CHARTS_WIDTH - MARGIN
    scale = (right - left) / 2
    for number, (row, _, ratio, _) in enumerate(rows):
        y = top + 22 * number
        colour = "#2da44e" if round(ratio, 2) <= row.target else "#cf222e"
        width = min(ratio, 2) * scale
        parts += [text(left - 8, y + 12, f"{row.what.name} / {row.against.name}: {row.load}", "end"),
                  f'<rect x="{left}" y="{y}" width="{width:.1f}" height="15" fill="{colour}"/>',
                  line(left + row.target * scale, y - 3, left + row.target * scale, y + 18, "#000000"),
                  text(left + width + 6, y + 12, f"{ratio:.2f}")]
    return parts


def plot(results):
    parts = []
    top = 60
    if "growth" in results:
        points = results["growth"]
        series = {subject.name: growth_of(points, subject) for subject in matrix.GROWTH}
        parts += curves(MARGIN, top, "CPU per echoed message, by connections", "µs",
                        [point["connections"] for point in points], series)
    if "memory" in results:
        memory = results["memory"]["fresh"]
        series = {name: [size / 1024 for size in sizes] for name, sizes in memory["bytes"].items()}
        series.pop(matrix.STOCK_64K.name, None)  # would be off the chart
        parts += curves(2 * MARGIN + CHART_WIDTH, top, "Memory of an idle connection", "KiB", memory["connections"],
                        series)
    top += CHART_HEIGHT + 150
    rows = [found for found in row_lines(results) if found[0].target is not None]
    parts += bars(top, rows)
    height = top + 22 * len(rows) + 30
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{CHARTS_WIDTH}" height="{height}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>' + "\n".join(parts) +
            "</svg>\n")
