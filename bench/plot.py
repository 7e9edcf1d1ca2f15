"""From results to a plot (SVG): curves over the number of connections, and a bar for each target."""

import math

import matrix
import report

COLOURS = {"stock": "#6e7781", "stock+64k": "#b8860b", "headers": "#1f6feb", "envelope": "#d2691e", "http": "#8250df"}
DASHES = {"stock+64k": "6 3", "envelope": "6 3"}  # curves that may lie on others
WIDTH, CHART_WIDTH, CHART_HEIGHT, MARGIN = 960, 370, 240, 70
BAR_HEIGHT, BAR_LABELS = 22, 310


def text(x, y, content, anchor="start", size=12, transform=""):
    content = content.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{transform}>{content}</text>'


def line(x1, y1, x2, y2, colour="#d0d7de", dash="", width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}" '
            f'stroke-dasharray="{dash}"/>')


def ticks(highest):
    """From 0 to at least `highest`, five steps or fewer, each 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(highest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= highest)
    return [step * i for i in range(math.ceil(highest / step) + 1)]


def curves(left, top, title, unit, counts, series):
    """One chart: a curve for each name, over the number of connections (logarithmic), from 0 up."""
    bottom = top + CHART_HEIGHT
    scale = ticks(max(max(values) for values in series.values()))
    spread = math.log(counts[-1] / counts[0]) or 1
    xs = [left + CHART_WIDTH * math.log(count / counts[0]) / spread for count in counts]
    parts = [text(left - 10, top - 20, title, size=15),
             text(left + CHART_WIDTH / 2, bottom + 50, "connections (logarithmic)", "middle"),
             text(left - 46, top + CHART_HEIGHT / 2, unit, "middle",
                  transform=f' transform="rotate(-90 {left - 46} {top + CHART_HEIGHT / 2})"')]
    for tick in scale:
        y = bottom - CHART_HEIGHT * tick / scale[-1]
        parts += [line(left, y, left + CHART_WIDTH, y), text(left - 8, y + 4, f"{tick:g}", "end")]
    last, lower = -math.inf, False
    for x, count in zip(xs, counts):
        lower = x - last < 50 and not lower  # beside each other there is no room for both
        parts += [line(x, bottom, x, bottom + 4, "#57606a"),
                  text(x, bottom + (32 if lower else 18), f"{count:,}", "middle")]
        last = x
    for number, (name, values) in enumerate(series.items()):
        points = [(x, bottom - CHART_HEIGHT * value / scale[-1]) for x, value in zip(xs, values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        colour, dash = COLOURS.get(name, "#000000"), DASHES.get(name, "")
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        x, y = left + 125 * (number % 3), bottom + 74 + 18 * (number // 3)
        parts += [line(x, y - 4, x + 24, y - 4, colour, dash, 2), text(x + 30, y, name)]
    return parts


def bars(top, found):
    """The ratios, each with its target."""
    parts = [text(MARGIN - 10, top - 20, "CPU per message or upgrade: how many times that of the other; the mark is the target",
                  size=15)]
    left, right = MARGIN + BAR_LABELS, WIDTH - MARGIN - 40
    scale = ticks(max(max(one.row.target, 0 if one.failed else one.ratio) for one in found))
    unit = (right - left) / scale[-1]
    bottom = top + BAR_HEIGHT * len(found)
    for tick in scale:
        x = left + tick * unit
        parts += [line(x, top - 4, x, bottom), text(x, bottom + 16, f"{tick:g}", "middle")]
    for number, one in enumerate(found):
        y = top + BAR_HEIGHT * number
        row = one.row
        mark = left + row.target * unit
        parts.append(text(left - 8, y + 12, f"{row.what.name} / {row.against.name}: {row.load}", "end"))
        if one.failed:
            parts += [line(mark, y - 3, mark, y + 18, "#000000", width=2), text(mark + 6, y + 12, "failed")]
            continue
        colour = "#2da44e" if one.verdict == "met" else "#cf222e"
        width = one.ratio * unit
        parts += [f'<rect x="{left}" y="{y}" width="{width:.1f}" height="15" fill="{colour}"/>',
                  line(mark, y - 3, mark, y + 18, "#000000", width=2),
                  text(max(left + width, mark) + 6, y + 12, report.shown(one.ratio, row.target))]
    return parts


def plot(results):
    parts, top = [], 60
    counts, series = report.growth_curves(results)
    if series:
        parts += curves(MARGIN, top, f"CPU per echoed message of {matrix.GROWTH_SIZE} B", "µs", counts, series)
    memory = results.get("memory", {}).get("fresh")
    sizes = {name: [size / 1024 for size in of_name] for name, of_name in memory["bytes"].items() if of_name} if memory else {}
    if sizes:
        parts += curves(WIDTH - MARGIN - CHART_WIDTH + 30, top, "Memory of an idle connection", "KiB", memory["connections"],
                        sizes)
    if parts:
        top += CHART_HEIGHT + 170
    found = [one for one in report.comparisons(results) if one.row.target is not None]
    if found:
        parts += bars(top, found)
        top += BAR_HEIGHT * len(found) + 40
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")
