"""The Markdown tables. Knows nothing of how the numbers came about: it gets lists of rounds, and compares each proxy with
the first."""

import statistics

# (key in a round, title, unit, factor, digits, whether less is better)
_ECHO_MEASURES = [
    ("cpu_us", "CPU per echo", "µs", 1, 1, True),
    ("per_second", "Echoes per second", "thousands", 1e-3, 2, False),
    ("p50_us", "Round trip, median", "ms", 1e-3, 2, True),
    ("p99_us", "Round trip, 99th percentile", "ms", 1e-3, 2, True),
]
_OPEN_MEASURES = [
    ("cpu_us", "CPU per tunnel opened and closed", "µs", 1, 0, True),
    ("per_second", "Tunnels opened per second", "", 1, 0, False),
    ("p50_us", "From connect() to the 101, median", "ms", 1e-3, 2, True),
    ("p99_us", "From connect() to the 101, 99th percentile", "ms", 1e-3, 2, True),
]
_CLEARLY = 1.05  # a ratio nearer to 1 than this is called the same, as is one that not every round agrees on


def tables(results):
    """`results`: {"peers": {key: name}, "echo": {workload: {key: [round, ...]}}, "open": likewise,
    "memory": {title: {key: bytes}}}."""
    parts = []
    for kind, measures in (("echo", _ECHO_MEASURES), ("open", _OPEN_MEASURES)):
        for measure in measures:
            rows = {name: {key: [r[measure[0]] for r in rounds] for key, rounds in by_peer.items()}
                    for name, by_peer in results[kind].items() if _tells_something(measure[0], name)}
            parts.append(_table(measure, rows, results["peers"]))
    rows = {name: {key: [value] for key, value in by_peer.items()} for name, by_peer in results["memory"].items()}
    parts.append(_table(("", "Memory per idle tunnel (PSS)", "KiB", 1 / 1024, 1, True), rows, results["peers"]))
    return "\n\n".join(part for part in parts if part)


def _tells_something(measure, workload):
    return not (measure == "per_second" and "/s" in workload)  # the rate was given


def _table(measure, rows, peers):
    _, title, unit, factor, digits, _ = measure
    if not rows:
        return ""
    lines = [f"| {title}{f', {unit}' if unit else ''} | " + " | ".join(peers.values()) + " |",
             "|---|" + "---:|" * len(peers)]
    for name, by_peer in rows.items():
        ours = by_peer.get(next(iter(peers)))
        cells = [_cell(by_peer.get(key), ours if number else None, factor, digits) for number, key in enumerate(peers)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(values, ours, factor, digits):
    if not values:
        return "-"
    low, middle, high = (factor * f(values) for f in (min, statistics.median, max))
    text = f"{middle:.{digits}f}"
    if len(values) > 1:
        text += f" ({low:.{digits}f}-{high:.{digits}f})"
    return text + (f" **×{ratio(values, ours):.2f}**" if ours else "")


def ratio(values, ours):
    """Median over the rounds of this one's value divided by ours: what drifts from round to round cancels out."""
    return statistics.median(_ratios(values, ours))


def _ratios(values, ours):
    return [value / our for value, our in zip(values, ours)]


def behind(results):
    """A line for every number in which another proxy is clearly better than the first."""
    first, *others = results["peers"]
    for title, less_is_better, name, by_peer in _comparisons(results):
        for key in others:
            if not (by_peer.get(first) and by_peer.get(key)):
                continue
            ratios = _ratios(by_peer[key], by_peer[first])
            gains = [1 / r if less_is_better else r for r in ratios]
            if statistics.median(gains) > _CLEARLY and min(gains) > 1:
                yield f"{title}, {name}: {results['peers'][key]} ×{statistics.median(ratios):.2f}"


def _comparisons(results):
    """Every row of every table: title, whether less is better, name of the row, values by proxy."""
    for kind, measures in (("echo", _ECHO_MEASURES), ("open", _OPEN_MEASURES)):
        for key, title, _, _, _, less_is_better in measures:
            for name, by_peer in results[kind].items():
                if _tells_something(key, name):
                    yield title, less_is_better, name, {peer: [r[key] for r in rounds] for peer, rounds in by_peer.items()}
    for name, by_peer in results["memory"].items():
        yield "Memory per idle tunnel", True, name, {peer: [value] for peer, value in by_peer.items()}
