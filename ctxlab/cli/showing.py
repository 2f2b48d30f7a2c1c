"""``ctxlab budget`` and ``show``: where tokens go, what was dropped and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import (
    DEFAULT_STORE,
    AllowImport,
    AsJSON,
    ColumnName,
    EncoderName,
    Encoding,
    FormatName,
    Paths,
    SkipBad,
    StorePath,
    read_inputs,
    say,
)
from ctxlab.cli.output import put, put_json, put_table
from ctxlab.cli.spending_tables import Breakdown, is_session, put_breakdowns, put_compactions
from ctxlab.cli.workshop_commands import put_tiers, tier_rows
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.core.unforeseen import write_whole
from ctxlab.errors import CtxlabError, UnknownNameError, ViewError

if TYPE_CHECKING:
    from ctxlab.bench.explaining import Explanation
    from ctxlab.core.cases import Case
    from ctxlab.core.tools import Encoder


def budget(
    paths: Paths,
    encoding: Encoding = DEFAULT_ENCODING,
    format_name: FormatName = None,
    skip_bad: SkipBad = False,
    column: ColumnName = None,
    by: Annotated[
        Breakdown | None,
        typer.Option("--by", help="What to put the tokens down to, conversation by conversation."),
    ] = None,
    top: Annotated[int, typer.Option(help="Rows of each breakdown.", min=1)] = 10,
    store: StorePath = DEFAULT_STORE,
    limit: Annotated[int, typer.Option(help="Budget of a workshop's step, in tokens.")] = 15_000,
    as_json: AsJSON = False,
) -> None:
    """Count tokens as a chat is billed: conversations by role, a workshop by step and tier.

    An agent's session is shown by tool, file, turn and kind as well, before and after its
    compactions; --by chooses one of these, for any conversations.

    For example:

      ctxlab budget chat.jsonl

      ctxlab budget session.jsonl --by file --top 20

      ctxlab budget market-surplus --limit 8000 --encoding cl100k_base

      ctxlab budget wks_0001… --store lab.duckdb --json
    """
    if len(paths) == 1:
        tiers = tier_rows(paths[0], store, encoding, limit)
        if tiers is not None:
            if as_json:
                put_json({"schema": 1, "encoding": encoding, "rows": tiers})
            else:
                put_tiers(tiers)
            return
    cases = list(read_inputs(paths, format_name, skip_bad=skip_bad, column=column))
    if by is not None:
        put_breakdowns(cases, [by], encoding, top, as_json=as_json)
        return
    rows = [_spent(case, encoding) for case in cases]
    if as_json:
        put_json({"schema": 1, "encoding": encoding, "rows": rows})
        return
    roles = ("system", "user", "assistant", "tool")
    cells: list[Sequence[object]] = [
        [r["case"], r["messages"], *(r["roles"].get(role, 0) for role in roles), r["total"]]
        for r in rows
    ]
    if len(rows) > 1:
        whole = [sum(row["roles"].get(role, 0) for row in rows) for role in roles]
        totals = sum(row["messages"] for row in rows), sum(row["total"] for row in rows)
        cells.append(["all", totals[0], *whole, totals[1]])
    columns = {"conversation": "left", "messages": "right"} | dict.fromkeys(roles, "right")
    put_table(cells, {**columns, "total": "right"}, f"Tokens, {encoding}, chat overhead included")
    # A session's file may hold side chains after it; --by shows those as well.
    if cases and is_session(cases[0]) and len({case.cluster or case.id for case in cases}) == 1:
        put_breakdowns(cases[:1], list(Breakdown), encoding, top)


def _spent(case: Case, encoding: str) -> dict[str, Any]:
    from ctxlab.core.task import Task
    from ctxlab.core.tokens import shared_counter
    from ctxlab.core.tools import Tools

    ruler = Task(budget=1, tools=Tools.of(shared_counter(encoding)))
    context = case.context()
    costs = ruler.costs(context)
    roles: Counter[str] = Counter()
    tiers: Counter[str] = Counter()
    for segment, text, overhead in zip(context, costs.texts, costs.overheads, strict=True):
        roles[segment.role] += text + overhead
        tiers[segment.tier.value] += text + overhead
    return {
        "case": case.id,
        "dataset": case.dataset,
        "messages": len(case.messages),
        "roles": dict(roles),
        "tiers": dict(tiers),
        "reply": ruler.tools.reply,
        "total": ruler.size(context),
    }


def show(
    path: Annotated[str, typer.Argument(help="A file of conversations, or a dataset's name.")],
    strategy: Annotated[str, typer.Option(help="The strategy, as in Python.")] = "KeepLast()",
    budget: Annotated[str, typer.Option(help="8000, 8k or 10%.")] = "25%",
    case: Annotated[
        str | None, typer.Option(help="The conversation's id; the first if none.")
    ] = None,
    probe: Annotated[str | None, typer.Option(help="Ask this probe's question.")] = None,
    query: Annotated[str, typer.Option(help="Ask this question.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of what is random.")] = 0,
    encoding: Encoding = DEFAULT_ENCODING,
    encoder: EncoderName = None,
    store: StorePath = DEFAULT_STORE,
    out: Annotated[Path | None, typer.Option(help="Write it as HTML here.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List what was kept, too.")] = False,
    allow_import: AllowImport = False,
    format_name: FormatName = None,
    skip_bad: SkipBad = False,
    as_json: AsJSON = False,
) -> None:
    """Show one conversation before and after: what was dropped, at which stage, and why.

    For example:

      ctxlab show agent-run --strategy 'ClearToolUses() >> KeepLast()' --budget 50%

      ctxlab show locomo10.json --case conv-41 --strategy BM25 --query 'Who moved to Lisbon?'

      ctxlab show market-surplus --strategy BM25 --probe ms-q001 --out lost.html
    """
    from ctxlab.bench.explaining import explain
    from ctxlab.core.specs import parse
    from ctxlab.core.tokens import shared_counter
    from ctxlab.core.tools import Tools

    chosen = parse(strategy, allow_import=allow_import)
    found = _find(list(read_inputs([path], format_name, skip_bad=skip_bad)), case)
    asked = next((p for p in found.probes if p.id == probe), None)
    if probe is not None and asked is None:
        raise UnknownNameError("probe", probe, (p.id for p in found.probes))
    with _kept(encoder, store) as encode:
        shown = explain(
            chosen,
            found.context(asked.at if asked else None),
            budget,
            query=query or (asked.question if asked else ""),
            tools=Tools.of(shared_counter(encoding)),
            seed=seed,
            evidence=asked.evidence if asked else (),
            encoder=encode,
        )
    if shown.strategy.traits.query_aware and not shown.task.query:
        say(f"{shown.strategy} reads the question, and none was asked: use --query or --probe")
    facts: dict[str, Any] = {
        "case": found.id,
        "strategy": str(shown.strategy),
        "budget": shown.task.budget,
        "query": shown.task.query,
        "before": shown.task.size(shown.before),
        "after": shown.task.size(shown.context),
    }
    sizes = (
        f"{facts['before']:,} tokens before, {facts['after']:,} after, budget {facts['budget']:,}"
    )
    if out:
        _write_page(out, shown, facts, sizes)
    if as_json:
        put_json({"schema": 1, **facts, "rows": [asdict(entry) for entry in shown.entries]})
        return
    put(f"{facts['case']}: {sizes}, by {facts['strategy']}")
    put_compactions(found)
    gone = [entry for entry in shown.entries if every or entry.fate.value != "kept"]
    texts = {segment.source: segment.text for segment in shown.before}
    columns = {"message": "left", "fate": "left", "before": "right", "after": "right"}
    put_table(
        (
            [e.source.removeprefix("message:"), e.fate.value, e.tokens_before, e.tokens_after,
             e.reason, _short(texts[e.source])]
            for e in gone
        ),
        {**columns, "why": "left", "text": "left"},
    )  # fmt: skip


def _write_page(out: Path, shown: Explanation, facts: Mapping[str, Any], sizes: str) -> None:
    from ctxlab.display.conversation_views import page

    told = {"strategy": facts["strategy"], "question": facts["query"], "as billed": sizes}
    text = page(
        f"What became of {facts['case']}",
        {name: fact for name, fact in told.items() if fact},
        shown._repr_html_(),
    )
    write_whole(out, text, ViewError)


@contextmanager
def _kept(encoder: str | None, store: Path) -> Iterator[Encoder | None]:
    """Give the encoder, with its vectors kept in the store, which is opened for nothing else."""
    if encoder is None:
        yield None
        return
    from ctxlab.models import load_encoder
    from ctxlab.models.cached_encoder import CachedEncoder
    from ctxlab.store import Store

    chosen = load_encoder(encoder)
    with Store(store) as lab:
        yield CachedEncoder(chosen, lab)


def _find(cases: Sequence[Case], case: str | None) -> Case:
    if not cases:
        raise CtxlabError("there is no conversation in it; name a file that holds one")
    if case is None:
        return cases[0]
    for one in cases:
        if one.id == case:
            return one
    raise UnknownNameError("conversation", case, (one.id for one in cases))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "…"
