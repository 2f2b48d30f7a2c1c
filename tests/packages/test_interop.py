"""Real graphs and agents with ctxlab as the trimmer, and LangChain's trimmer as a strategy."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxlab.bench.grid import Grid
from ctxlab.chats.langchain import TrimMessages, pre_model_hook, trimmer
from ctxlab.chats.pydantic_ai import history_processor
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.specs import from_spec, parse
from ctxlab.core.strategy import run
from ctxlab.core.task import Task
from ctxlab.errors import DataError, PinnedOverBudgetError
from ctxlab.strategies import KeepLast
from ctxlab.testing import LawError, chats, check_laws_on, check_value, sample_case, word_tools

QUESTION = "Where is the key of the cold store?"

# --- LangChain and LangGraph --------------------------------------------------------------------


@pytest.fixture(scope="module")
def lc(package):
    return package("langchain_core.messages")


@pytest.fixture
def history(lc) -> list:
    """Return a long history: a system prompt, remarks, a tool call with its result, a question."""
    call = {"name": "clock", "args": {"zone": "CET"}, "id": "c1"}
    remarks = [
        (lc.HumanMessage if n % 2 == 0 else lc.AIMessage)(f"Remark {n} on the market.", id=f"r{n}")
        for n in range(40)
    ]
    return [
        lc.SystemMessage("Be brief.", id="s"),
        lc.HumanMessage("The key of the cold store is with Ilse.", id="k"),
        *remarks,
        lc.AIMessage("", tool_calls=[call], id="a"),
        lc.ToolMessage("It is twelve.", tool_call_id="c1", id="t"),
        lc.HumanMessage(QUESTION, id="q"),
    ]


def test_a_trimmer_returns_the_very_messages(history):
    """System and newest messages stay, as the objects that they were."""
    kept = trimmer("KeepLast()", budget=60).invoke(history)
    assert [m.id for m in kept][:1] == ["s"]
    assert [m.id for m in kept][-3:] == ["a", "t", "q"]
    assert all(any(m is given for given in history) for m in kept)
    assert len(kept) < len(history)


@pytest.mark.parametrize(
    "strategy", [KeepLast(), "KeepLast()", Recipe(strategy=KeepLast(), budget="60")], ids=str
)
def test_a_strategy_its_text_and_a_recipe_are_taken(history, strategy):
    """All three name the same compression; a recipe brings its budget."""
    budget = None if isinstance(strategy, Recipe) else 60
    kept = trimmer(strategy, budget=budget).invoke(history)
    assert kept == trimmer("KeepLast()", budget=60).invoke(history)


def test_the_newest_question_is_the_query(history):
    """What was said on the question's subject stays; another query finds other things."""
    found = trimmer("BM25()", budget=60).invoke(history)
    assert "k" in [m.id for m in found]
    other = trimmer("BM25()", budget=60, query="remark 17").invoke(history)
    assert "r17" in [m.id for m in other]
    assert other[-1].id == "q"


async def _ainvoke(runnable, value):
    return await runnable.ainvoke(value)


def test_a_trimmer_runs_in_a_chain_and_asynchronously(package, history):
    """It composes with a model, as trim_messages does."""
    import asyncio

    models = package("langchain_core.language_models.fake_chat_models")
    trim = trimmer("KeepLast()", budget=60)
    prompts = package("langchain_core.prompts")
    prompt = prompts.ChatPromptTemplate([prompts.MessagesPlaceholder("messages")])
    assert (prompt | trim).invoke({"messages": history}) == trim.invoke(history)
    chain = trim | models.FakeListChatModel(responses=["With Ilse."])
    assert chain.invoke(history).content == "With Ilse."
    assert asyncio.run(_ainvoke(trim, history)) == trim.invoke(history)


def test_blocks_images_and_ids_survive_a_shortened_text(lc):
    """A sentence goes; the image, the mark for the cache and the id stay, in a copy."""
    image = {"type": "image", "url": "https://a.example/1.png"}
    long = "It rains. The key is behind gate 4. " * 9
    text = {"type": "text", "text": long, "cache_control": {"type": "ephemeral"}}
    given_message = lc.HumanMessage([text, image], id="h", name="Ada")
    question = lc.HumanMessage(QUESTION, id="q")
    before = copy.deepcopy(given_message)
    kept = trimmer("Sentences() >> BM25()", budget=1700).invoke([given_message, question])
    (first, last) = kept
    assert given_message == before
    assert last is question
    assert (first.id, first.name, first.content[1]) == ("h", "Ada", image)
    assert 0 < len(first.content[0]["text"]) < len(long)
    assert first.content[0]["cache_control"] == {"type": "ephemeral"}


def test_calls_without_results_go_from_every_place_they_stand_in(lc):
    """The call goes from the list, the blocks and the raw form; the answered one stays."""
    calls = [{"name": "f", "args": {}, "id": name} for name in ("c1", "c2")]
    raw = [{"id": c["id"], "type": "function", "function": {"name": "f"}} for c in calls]
    blocks = [{"type": "text", "text": "Wait."}] + [
        {"type": "tool_use", "id": c["id"], "name": "f", "input": {}} for c in calls
    ]
    said = lc.AIMessage(blocks, tool_calls=calls, additional_kwargs={"tool_calls": raw}, id="a")
    result = lc.ToolMessage("12:00", tool_call_id="c2")
    asked = lc.HumanMessage("Well?")
    orphan = lc.ToolMessage("?", tool_call_id="c9")
    (first, second, third) = trimmer(budget=1000).invoke([said, asked, result, orphan])
    assert second is result
    assert third is asked
    assert [call["id"] for call in first.tool_calls] == ["c2"]
    assert [block.get("id") for block in first.content] == [None, "c2"]
    assert [call["id"] for call in first.additional_kwargs["tool_calls"]] == ["c2"]


def test_what_is_no_message_for_a_model_is_refused(lc):
    """A mark for the reducer is named with its place."""
    with pytest.raises(DataError, match=r"messages\[1\]: is a RemoveMessage"):
        trimmer(budget=100).invoke([lc.HumanMessage("Hi"), lc.RemoveMessage(id="x")])


class Spy:
    """Remembers what a fake model was sent; calls a tool first, then answers."""

    def __init__(self, lc, models):
        self.seen: list[list] = []
        spy = self

        class Model(models.BaseChatModel):
            @property
            def _llm_type(self) -> str:
                return "fake"

            def bind_tools(self, tools, **_):
                return self

            def _generate(self, messages, stop=None, run_manager=None, **_):
                from langchain_core.outputs import ChatGeneration, ChatResult

                spy.seen.append(list(messages))
                if isinstance(messages[-1], lc.ToolMessage):
                    answer = lc.AIMessage("Ilse has it.")
                else:
                    calls = [{"name": "look_up", "args": {"what": "key"}, "id": "call_9"}]
                    answer = lc.AIMessage("", tool_calls=calls)
                return ChatResult(generations=[ChatGeneration(message=answer)])

        self.model = Model()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("strategy", ["KeepLast()", "BM25()", "MaskObservations() >> MMR()"])
def test_an_agents_graph_runs_with_the_hook(package, lc, history, strategy):
    """The model is sent a valid chat that fits, twice; the state keeps everything."""
    prebuilt = package("langgraph.prebuilt")
    spy = Spy(lc, package("langchain_core.language_models.chat_models"))

    def look_up(what: str) -> str:
        """Look something up."""
        return f"The {what} is with Ilse. " * 3

    agent = prebuilt.create_react_agent(
        spy.model, [look_up], pre_model_hook=pre_model_hook(strategy, budget=100)
    )
    result = agent.invoke({"messages": history})
    assert result["messages"][-1].content == "Ilse has it."
    assert [m.id for m in result["messages"][: len(history)]] == [m.id for m in history]
    assert [len(seen) < len(history) for seen in spy.seen] == [True, True]
    first, second = spy.seen
    assert first[0].id == second[0].id == "s"
    assert first[-1].id == "q"
    # The newest exchange is never dropped, whatever it scores.
    assert [m.type for m in second[-2:]] == ["ai", "tool"]
    assert "q" in [m.id for m in second]


def test_a_nodes_update_replaces_what_the_reducer_holds(package, lc, history):
    """With key='messages' the state of a graph is cut down, in order, ids and all."""
    graphs = package("langgraph.graph")
    builder = graphs.StateGraph(graphs.MessagesState)
    builder.add_node("compress", pre_model_hook("KeepLast()", budget=60, key="messages"))
    builder.add_node("answer", lambda state: {"messages": [lc.AIMessage("With Ilse.")]})
    builder.add_edge(graphs.START, "compress")
    builder.add_edge("compress", "answer")
    state = builder.compile().invoke({"messages": history})
    expected = [m.id for m in trimmer("KeepLast()", budget=60).invoke(history)]
    assert [m.id for m in state["messages"]][:-1] == expected
    assert state["messages"][-1].content == "With Ilse."


SOME = st.sampled_from(
    [
        "KeepLast()",
        "BM25()",
        "HeadTail()",
        "MaskObservations(keep=0)",
        "CollapseToolUses(keep=0)",
        "Sentences() >> BM25()",
        "StripBoilerplate() >> MMR()",
        "RandomDrop()",
    ]
)


def as_langchain(lc, messages):
    """Return ctxlab's messages as LangChain's."""
    found = []
    for m in messages:
        if m.role == "assistant":
            calls = [{"name": c.name, "args": {"q": 1}, "id": c.id} for c in m.tool_calls]
            found.append(lc.AIMessage(m.content, tool_calls=calls, id=m.id))
        elif m.role == "tool":
            found.append(lc.ToolMessage(m.content, tool_call_id=m.tool_call_id, id=m.id))
        else:
            kind = lc.SystemMessage if m.role == "system" else lc.HumanMessage
            found.append(kind(m.content, id=m.id, name=m.name))
    return found


def test_langchain_messages_stay_valid_and_in_order(lc):
    """Under any strategy: calls stand before their results, ids keep their order."""

    @settings(max_examples=200)
    @given(chats(), SOME, st.integers(20, 300))
    def law(messages, strategy, budget):
        given_messages = as_langchain(lc, messages)
        before = copy.deepcopy(given_messages)
        try:
            kept = trimmer(strategy, budget=budget).invoke(given_messages)
        except PinnedOverBudgetError:
            return
        assert given_messages == before
        own = {m.id: m for m in given_messages}
        places = [list(own).index(m.id) for m in kept if m.id is not None]
        assert places == sorted(places)
        assert all(m is own[m.id] for m in kept if m.id is not None and m == own[m.id])
        waiting: list[str] = []
        for m in kept:
            if m.type == "tool":
                waiting.remove(m.tool_call_id)
            else:
                assert not waiting
                waiting = [c["id"] for c in getattr(m, "tool_calls", ())]
        assert not waiting

    law()


# --- LangChain's trimmer as a strategy ----------------------------------------------------------


def test_trim_messages_is_a_value_that_its_text_and_its_spec_rebuild(lc):
    """It is named by its module, so that a grid, a worker or a recipe finds it."""
    strategy = TrimMessages(allow_partial=True)
    check_value(strategy)
    assert parse(str(strategy >> KeepLast())) == strategy >> KeepLast()
    assert from_spec(strategy.spec()) == strategy


def test_trim_messages_keeps_what_langchain_keeps(lc, history):
    """The same messages in, counted alike, the same messages out."""
    messages = [Message("s", "system", "Be brief.")]
    messages += [
        Message(f"m{n}", "user" if n % 3 else "assistant", f"Remark {n} on the market.")
        for n in range(30)
    ]
    context = Context.of(messages)
    task = Task(budget=60)
    theirs = [
        {"system": lc.SystemMessage, "user": lc.HumanMessage, "assistant": lc.AIMessage}[m.role](
            m.content, id=m.id
        )
        for m in messages
    ]
    wanted = lc.trim_messages(
        theirs,
        max_tokens=60 - task.tools.reply,
        token_counter=lambda found: sum(task.tools.count(m.content) + 4 for m in found),
        start_on="human",
        include_system=True,
    )
    kept = TrimMessages().compress(context, task)
    assert [s.source for s in kept] == [f"message:{m.id}" for m in wanted]
    (outcome,) = run(TrimMessages(), context, task)
    assert outcome.context.why(context[1]).reason == "left out by LangChain's trim_messages"


@pytest.mark.parametrize("end", ["last", "first"])
def test_a_message_cut_at_the_edge_is_a_slice_of_its_source(lc, end):
    """allow_partial keeps lines of the message at the edge, and the span says which."""
    lines = "\n".join(f"line {n} of the report" for n in range(20))
    context = Context.of([Message("m0", "user", lines), Message("m1", "user", lines)])
    strategy = TrimMessages(strategy=end, allow_partial=True)
    task = Task(budget=200)
    kept = strategy.compress(context, task)
    check_laws_on(strategy, context, task)
    edge = kept[0] if end == "last" else kept[-1]
    span = edge.spans[0]
    assert 0 < span.end - span.start < len(lines)
    assert lines[span.start : span.end] == edge.text
    assert task.fits(kept)


BROKEN = {
    TrimMessages(): {"pinned segments stay as they are"},
    TrimMessages(allow_partial=True): {"pinned segments stay as they are"},
    TrimMessages(start_on=()): {
        "pinned segments stay as they are",
        "a group stays or goes as one",
    },
    TrimMessages(strategy="first"): {
        "pinned segments stay as they are",
        "a group stays or goes as one",
    },
}


@pytest.mark.parametrize("strategy", BROKEN, ids=str)
def test_trim_messages_breaks_the_promises_that_its_docstring_says(lc, strategy):
    """Pins, and for some parameters groups, are not known to the peer; all else holds."""
    broken: set[str] = set()

    @settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(chats(), st.integers(1, 80))
    def laws(messages, budget):
        try:
            check_laws_on(strategy, Context.of(messages), Task(budget=budget, tools=word_tools()))
        except LawError as error:
            broken.add(str(error).partition(": ")[2].partition(";")[0])

    laws()
    assert broken == BROKEN[strategy]


def test_a_system_prompt_over_the_budget_is_kept_by_the_peer(lc):
    """Where ctxlab's strategies say so, the peer sends too much."""
    context = Context.of([Message("s", "system", "Be brief. " * 50), Message("u", "user", "Hi")])
    task = Task(budget=40)
    with pytest.raises(PinnedOverBudgetError):
        KeepLast().compress(context, task)
    assert task.size(TrimMessages().compress(context, task)) > 40


def test_the_peer_stands_in_the_same_table(lc):
    """A grid names it by module and class, and compares it with the rest."""
    strategies = ["ctxlab.chats.langchain:TrimMessages()", "KeepLast()"]
    results = Grid(strategies, ["40%"], [sample_case()]).run()
    assert set(results.trials["strategy"]) == set(strategies)
    assert results.trials["error"].null_count() == 2


def test_calls_and_names_are_counted_as_ctxlab_counts_them(lc):
    """What a call costs is known to ctxlab's counter alone, and the peer is given it."""
    call = ToolCall("c1", "search", '{"q": "' + "stalls " * 40 + '"}')
    messages = [
        Message("m0", "user", "Look."),
        Message("m1", "assistant", "", tool_calls=(call,)),
        Message("m2", "tool", "63", tool_call_id="c1"),
        Message("m3", "user", "Thanks.", name="Ada"),
    ]
    context = Context.of(messages)
    for budget in range(10, 100, 10):
        task = Task(budget=budget)
        assert task.fits(TrimMessages().compress(context, task))


# --- Pydantic AI --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pai(package):
    return package("pydantic_ai.messages")


@pytest.fixture
def past(pai) -> list:
    """Return a long history with a system prompt, calls, an image, thinking and a retry."""
    image = pai.BinaryContent(b"\x89PNG" * 200, media_type="image/png")
    found = [
        pai.ModelRequest(
            [
                pai.SystemPromptPart("Be brief."),
                pai.UserPromptPart(["Ilse has the key of the cold store.", image]),
            ],
            instructions="Answer in English.",
        ),
        pai.ModelResponse(
            [
                pai.ThinkingPart("I should look.", signature="sig"),
                pai.TextPart("Let me see."),
                pai.ToolCallPart("clock", {"zone": "CET"}, "c1"),
                pai.ToolCallPart("sun", "{}", "c2"),
            ]
        ),
        pai.ModelRequest(
            [
                pai.ToolReturnPart("clock", {"hour": 12}, "c1"),
                pai.ToolReturnPart("sun", "Zone unknown.", "c2", outcome="retried"),
                pai.UserPromptPart("Go on."),
            ]
        ),
    ]
    for n in range(30):
        found.append(pai.ModelResponse([pai.TextPart(f"Answer {n} on the market.")]))
        found.append(pai.ModelRequest.user_text_prompt(f"Remark {n} on the market."))
    return found


def test_a_history_that_fits_comes_back_as_the_very_messages(past):
    """Every kind of part is read and put back without a copy."""
    kept = history_processor(budget=100_000)(past)
    assert [id(m) for m in kept] == [id(m) for m in past]


def test_what_is_left_of_a_request_keeps_everything_else(pai, past):
    """The system prompt stays with its request's instructions; the user's part goes."""
    before = copy.deepcopy(past)
    kept = history_processor("KeepLast()", budget=80)(past)
    assert past == before
    assert kept[0].parts == [past[0].parts[0]]
    assert (kept[0].instructions, kept[0].timestamp) == ("Answer in English.", past[0].timestamp)
    assert [id(m) for m in kept[1:]] == [id(m) for m in past[-len(kept) + 1 :]]


def test_calls_stay_with_their_returns(pai, past):
    """Both calls and both returns stay or go as one, with thinking and outcome."""
    kept = history_processor("BM25()", budget=130, query="zone unknown clock")(past)
    response = next(m for m in kept if any(p.part_kind == "tool-call" for p in m.parts))
    assert response is past[1]
    returns = kept[kept.index(response) + 1]
    assert [p.part_kind for p in returns.parts][:2] == ["tool-return", "tool-return"]
    assert returns.parts[1].outcome == "retried"


def test_texts_are_shortened_in_a_copy(pai, past):
    """A masked return is a copy with its name, id and outcome; prompts keep their images."""
    log = pai.ToolReturnPart("log", "one line of the log\n" * 30, "c9")
    call = pai.ModelResponse([pai.ToolCallPart("log", {}, "c9")])
    given_history = [call, pai.ModelRequest([log]), *past]
    kept = history_processor("MaskObservations(keep=2)", budget=9000)(given_history)
    masked = kept[1].parts[0]
    assert masked.content == "(31 lines omitted)"
    assert (masked.tool_name, masked.tool_call_id) == ("log", "c9")
    assert [id(m) for m in kept[2:]] == [id(m) for m in past]
    sentences = history_processor("Sentences() >> BM25()", budget=1670, query="key of the store")
    long = pai.UserPromptPart(
        ["It rains. The key is behind gate 4. " * 9, past[0].parts[1].content[1]]
    )
    (request, _) = sentences([pai.ModelRequest([long]), pai.ModelRequest.user_text_prompt("Hi")])
    text, image = request.parts[0].content
    assert image is long.content[1]
    assert 0 < len(text) < len(long.content[0])


def test_a_text_that_was_shortened_loses_its_stored_id(pai):
    """A provider would send its own copy of an item with an id, and ignore the text."""
    text = pai.TextPart("It rains. The key is behind gate 4. " * 9, id="i", provider_name="openai")
    asked = pai.ModelRequest.user_text_prompt("Where is the key?")
    process = history_processor("Sentences() >> BM25()", budget=60)
    kept = process([pai.ModelRequest.user_text_prompt("Hi"), pai.ModelResponse([text]), asked])
    edited = next(m for m in kept if m.kind == "response").parts[0]
    assert len(edited.content) < len(text.content)
    assert (edited.id, text.id) == (None, "i")


def test_what_is_not_conversation_stays(pai):
    """Changes of instructions and an empty request are the framework's, and never dropped."""
    delta = pai.InstructionDeltaPart(id=None, content="Answer in French.")
    request = pai.ModelRequest([delta, pai.UserPromptPart("Remark. " * 50)])
    empty = pai.ModelRequest([])
    asked = pai.ModelRequest.user_text_prompt("Hi")
    kept = history_processor("KeepLast()", budget=100)([request, empty, asked])
    assert kept[0].parts == [delta]
    assert kept[1] is empty
    assert kept[2] is asked


def test_feedback_of_the_framework_is_not_the_question(pai):
    """A retry stays at the end, and the user's question with it."""
    retry = pai.RetryFeedbackPart("Use JSON.", retry=pai.RetryInfo(cause="model_retry"))
    history = [
        pai.ModelRequest.user_text_prompt(QUESTION),
        pai.ModelResponse([pai.TextPart("Ilse. " * 60)]),
        pai.ModelRequest([retry]),
    ]
    kept = history_processor("BM25()", budget=50)(history)
    assert kept == [history[0], history[2]]


def test_what_is_no_message_is_refused(pai):
    """The place and the type are in the error."""
    with pytest.raises(DataError, match=r"messages\[0\]: is a str"):
        history_processor(budget=10)(["Hi"])


@pytest.mark.parametrize("strategy", ["KeepLast()", "BM25()", "HeadTail()", "Salience()"])
def test_an_agent_runs_over_a_long_history(package, pai, past, strategy):
    """With tools, in two steps: each request fits, is valid, and carries the instructions."""
    ai = package("pydantic_ai")
    functions = package("pydantic_ai.models.function")
    capabilities = package("pydantic_ai.capabilities")
    seen: list[list] = []

    def answer(messages, info):
        seen.append(messages)
        returned = [p for p in messages[-1].parts if p.part_kind == "tool-return"]
        if returned:
            return pai.ModelResponse([pai.TextPart(f"So: {returned[0].content}")])
        return pai.ModelResponse([pai.ToolCallPart("look_up", {"what": "key"})])

    process = history_processor(strategy, budget=150)
    agent = ai.Agent(
        functions.FunctionModel(answer),
        instructions="Answer in English.",
        capabilities=[capabilities.ProcessHistory(process)],
    )

    @agent.tool_plain
    def look_up(what: str) -> str:
        return f"The {what} is with Ilse."

    result = agent.run_sync(QUESTION, message_history=past)
    assert result.output == "So: The key is with Ilse."
    first, second = seen
    assert all(len(messages) < len(past) for messages in seen)
    assert first[-1].parts[-1].content == QUESTION
    assert first[-1].instructions == "Answer in English."
    assert any(p.part_kind == "system-prompt" for p in first[0].parts)
    called = [p.tool_call_id for m in second for p in m.parts if p.part_kind == "tool-call"]
    came = [p.tool_call_id for m in second for p in m.parts if p.part_kind == "tool-return"]
    assert sorted(called) == sorted(came)
    assert any(getattr(p, "content", "") == QUESTION for m in second for p in m.parts)


def test_an_agent_with_a_test_model_and_retries_runs(package, pai, past):
    """Pydantic AI's own test model calls every tool, one of which asks for another try."""
    ai = package("pydantic_ai")
    capabilities = package("pydantic_ai.capabilities")
    tests: Callable = package("pydantic_ai.models.test").TestModel
    process = history_processor(Recipe(strategy=KeepLast(), budget="200"))
    agent = ai.Agent(tests(), capabilities=[capabilities.ProcessHistory(process)])
    tries: list[str] = []

    @agent.tool_plain(retries=2)
    def count(of: str) -> str:
        tries.append(of)
        if len(tries) < 2:
            raise ai.ModelRetry("Count again.")
        return "63"

    # The test model calls its tools where no model has answered before.
    requests = [message for message in past[3:] if message.kind == "request"]
    result = agent.run_sync(QUESTION, message_history=requests)
    assert "63" in result.output
    assert len(tries) == 2
    assert len(result.all_messages()) < len(requests)


def as_history(pai, messages):
    """Return ctxlab's messages as a history: neighbours of one side are one message."""
    found: list = []
    for m in messages:
        if m.role == "assistant":
            calls = [pai.ToolCallPart(c.name, {"q": 1}, c.id) for c in m.tool_calls]
            found.append(pai.ModelResponse([pai.TextPart(m.content), *calls]))
            continue
        if m.role == "tool":
            part = pai.ToolReturnPart("tool", m.content, m.tool_call_id)
        else:
            kind = pai.SystemPromptPart if m.role == "system" else pai.UserPromptPart
            part = kind(m.content)
        if found and found[-1].kind == "request":
            found[-1] = pai.ModelRequest([*found[-1].parts, part])
        else:
            found.append(pai.ModelRequest([part]))
    return found


def test_a_history_stays_valid_and_in_order(pai):
    """Under any strategy: every call has its return in the next request, parts keep their order."""

    @settings(max_examples=200)
    @given(chats(), SOME, st.integers(20, 300))
    def law(messages, strategy, budget):
        past = as_history(pai, messages)
        before = copy.deepcopy(past)
        try:
            kept = history_processor(strategy, budget=budget)(past)
        except PinnedOverBudgetError:
            return
        assert past == before
        order = {id(part): n for n, part in enumerate(p for m in past for p in m.parts)}
        places = [order[id(p)] for m in kept for p in m.parts if id(p) in order]
        assert places == sorted(places)
        waiting: list[str] = []
        for m in kept:
            for part in m.parts:
                if part.part_kind == "tool-return":
                    waiting.remove(part.tool_call_id)
            assert not waiting
            waiting += [p.tool_call_id for p in m.parts if p.part_kind == "tool-call"]
        assert not waiting
        systems = [p for m in past for p in m.parts if p.part_kind == "system-prompt"]
        assert [p for m in kept for p in m.parts if p.part_kind == "system-prompt"] == systems

    law()


def test_a_history_begins_with_a_user_where_that_is_wanted(package):
    """As Anthropic's API does: a line stands in for what was left out."""
    package("langchain_core")
    package("pydantic_ai")
    from langchain_core.messages import AIMessage, HumanMessage
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart

    from ctxlab.chats.langchain import trimmer
    from ctxlab.chats.opening import OPENING
    from ctxlab.chats.pydantic_ai import history_processor

    long = "What of the stalls in the hall? " * 20
    chat = [HumanMessage(long), AIMessage("Six."), HumanMessage("And now?")]
    found = trimmer("KeepLast()", budget=40, user_first=True).invoke(chat)
    assert [message.content for message in found] == [OPENING, "Six.", "And now?"]
    asked = ModelRequest.user_text_prompt
    history = [asked(long), ModelResponse(parts=[TextPart("Six.")]), asked("And now?")]
    kept = history_processor("KeepLast()", budget=40, user_first=True)(history)
    assert [message.parts[0].content for message in kept] == [OPENING, "Six.", "And now?"]
