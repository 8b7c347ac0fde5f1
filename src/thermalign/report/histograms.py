"""How the annotated faces of a dataset spread, drawn as lines."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.card_values import MEASURES, Card, look_of
from thermalign.report.cells import THIN
from thermalign.report.figures import Panel
from thermalign.report.names import slug
from thermalign.report.svg import style, to_svg

SIZE = (4.3, 2.2)  # inches


def histogram_panels(card: Card, name: str) -> list[Panel]:
    """Draw a panel per measure that the card has bins of, a line per modality and range."""
    panels = []
    for measure, title in MEASURES.items():
        lines = {s: bins for s in card.with_faces() if (bins := card.histogram(s, measure))}
        if not lines:
            continue
        with style():
            figure = Figure(figsize=SIZE, layout="constrained")
            axes = figure.subplots()
            for subset, bins in lines.items():
                look = look_of(subset)
                dash = (0, look.dash) if look.dash else "-"
                lower, shares = zip(*bins, strict=True)
                edges = [*lower, 2 * lower[-1] - lower[-2]]  # bins are equally wide
                axes.stairs(shares, edges, color=look.colour, linestyle=dash, linewidth=1.4)
            axes.set(xlim=_limits(list(lines.values())), xlabel=title, ylabel="Images")
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(6))
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}{THIN}%"))
            key = f"card-{slug(name)}-{measure}"
            panels.append(Panel("", to_svg(figure, key=key, alt=_spoken(card, name, measure))))
    return panels


def _limits(lines: list[list[tuple[float, float]]]) -> tuple[float, float]:
    """Return the ends of an axis that leaves out empty bins, but one, on either side."""
    width = lines[0][1][0] - lines[0][0][0]
    filled = [edge for bins in lines for edge, share in bins if share > 0]
    return min(filled) - width, max(filled) + 2 * width


def _spoken(card: Card, name: str, measure: str) -> str:
    means = [
        f"{look_of(s).label} {figure[0]:.3g}"
        for s in card.with_faces()
        if (figure := card.get(s, measure))
    ]
    return f"Histogram of {MEASURES[measure]} in {name}. Means: {', '.join(means)}."
