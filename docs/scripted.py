"""A team for the pictures: a model server whose agents speak by a script, each at its own pace and length."""

import json
import re
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

from stage import Answer, Model  # noqa: E402

MARKET = """The trend is up on every horizon, and stretched on the shortest.

| indicator | value | reading |
|:--|--:|:--|
| close | 702.10 | the highest of the year |
| 50-day SMA | 637.87 | the close is 10.1 % above |
| 200-day SMA | 552.49 | the close is 27.1 % above |
| RSI (14) | 71.1 | just overbought |
| MACD | 16.37 | above its signal, 15.14 |

**Trend.** Both averages rise, and the short one has been above the long one since the winter. Pullbacks in April and May ended
at the 50-day average; the one in July well above it.

**Momentum.** MACD has crossed its signal again, on less volume than in March. An RSI above 70 has been no reason to sell in
this trend: in February and March it stayed there for weeks while the price gained a fifth.

**Levels.** Support lies at 648, the low of four weeks. A close below 680 would say that the breakout has failed."""

NEWS = """No vendor of news or macro-economic series answered for this week, so nothing can be said of events. That is a gap and no
good sign: a product launch, a ruling or a decision on rates within the week would not be seen here. Whoever decides should
size the position as for an instrument with unknown news."""

FUNDAMENTALS = """No filings were to be had for this date. Without statements there is no ground to call the price high or low
against earnings, and none of what follows should lean on growth or margins."""

BULL = ["""The evidence that we have points one way. The close is at the high of the year, 27 % above a rising 200-day average;
the 50-day average has carried every pullback since January. MACD turned up again this week. My opponent will say overbought:
in February the RSI stood at the same place, and the price went from 500 to 600 before it rested. Strength of this kind
persists more often than it ends.""",
        """You grant the trend and quarrel with the moment. Then let us agree on the price of being wrong: a stop at 680 is
two average ranges away and costs 3 %. April fell from 636 to 560 after volume had dried up at the top *and* the averages had
flattened. Neither is so today."""]
BEAR = ["""An RSI of 71 on falling volume is how April began. From 636 the price fell to 530 within six weeks, through the
50-day average and without a pause. The close is two standard deviations above its monthly mean now. We also know nothing of
news or filings, so the one thing that could tell a breakout from an exhaustion is missing. Waiting for 650 costs little and
buys a far better ratio.""",
        """A stop limits the loss on paper. A gap over a weekend of news, which none of us can see, opens below it. If you want
the trend, take half, and add when a pullback has held."""]
RISK = {
    "Aggressive Risk Analyst": "A third of the portfolio is timid. The stop bounds the loss at 1 %, and a trend at its yearly "
    "high has paid for patience five times since January. Go to the full size and trail the stop.",
    "Conservative Risk Analyst": "Half of the proposal. Two of four analysts had no source, and a gap ignores stops. What is "
    "unknown should shrink the position, not be left out of it.",
    "Neutral Risk Analyst": "Both are right about something: the trend deserves a position, the gaps in the evidence a smaller "
    "one. Enter half now, half after a pullback that holds above 680.",
}
FORMS = {
    "Sentiment Analyst": {"overall_band": "Neutral", "overall_score": 5, "confidence": "low",
                          "narrative": "Neither posts nor headlines were to be had for this week. The mood is unknown, and "
                                       "counted as neutral."},
    "Research Manager": {"recommendation": "Overweight",
                         "rationale": "The bull has the evidence, the bear the doubts about its gaps. The trend is intact on "
                                      "every horizon; that it is stretched argues for the size, not for the direction.",
                         "strategic_actions": "Enter with half of the usual size at the market, add the rest after a pullback "
                                              "that holds above 680. Give up below 680.44."},
    "Trader": {"action": "Buy", "reasoning": "The trend is up on all horizons and momentum has just turned up again. The stop "
                                             "lies two average true ranges below the close, where the breakout would have failed.",
               "entry_price": 702.1, "stop_loss": 680.44, "position_sizing": "16 % of the portfolio now, 16 % after a pullback"},
    "Portfolio Manager": {"rating": "Overweight",
                          "executive_summary": "Buy in two halves, the first at the market with a stop at 680.44 and a target "
                                               "of 760. The trend is strong, and the evidence beside the price is thin.",
                          "investment_thesis": "Price, averages and momentum agree, and every pullback of the year was bought. "
                                               "Against it stand an overbought reading and the missing news and filings. Half of "
                                               "the size answers both: it is in the trend, and it can be wrong.",
                          "price_target": 760, "time_horizon": "three months, or until a close below 680"},
}
TEXTS = {"Market Analyst": [MARKET], "News Analyst": [NEWS], "Fundamentals Analyst": [FUNDAMENTALS], "Bull Researcher": BULL,
         "Bear Researcher": BEAR} | {agent: [text] for agent, text in RISK.items()}

# How long each thinks, seconds.
PACE = {"Market Analyst": 1.3, "Sentiment Analyst": 1.2, "News Analyst": 2.1, "Fundamentals Analyst": 3.4, "Trader": 0.8}


class Team(Model):
    """The model server. Whoever is in `held`, as `AAPL Trader 1` for the first turn, says nothing until `release`."""

    def __init__(self, held=()):
        super().__init__()
        self.RequestHandlerClass = Turn
        self.held = {name: threading.Event() for name in held}

    def release(self):
        for event in self.held.values():
            event.set()


class Turn(Answer):
    def do_POST(self):
        if self.path != "/api/chat":
            return super().do_POST()
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        told = "\n".join(message.get("content", "") for message in asked["messages"])
        agent = re.findall(r"# Your part: (.+)", told)[-1].strip()
        turn = told.count(f"{agent.split()[0]} Analyst: ")
        name = f"{re.search(r'Instrument: ([^ ]+)[.] ', told)[1]} {agent} {turn + 1}"
        if name in self.server.held:
            self.server.held[name].wait()
        time.sleep(PACE.get(agent, 1.1))
        message, words = self.message(agent, turn, asked), len(told) // 4
        said = len(json.dumps(message)) // 4
        used = {"done": True, "done_reason": "stop", "prompt_eval_count": words, "eval_count": said}
        self.reply({"model": asked["model"], "message": {"role": "assistant", "content": ""} | message, **used})

    @staticmethod
    def message(agent, turn, asked):
        """What the agent says; the market analyst looks at the figures first."""
        if agent == "Market Analyst" and asked["messages"][-1]["role"] == "user" and asked.get("tools"):
            wanted = [("get_stock_data", {"start_date": "2012-08-20", "end_date": "2012-09-19"}),
                      ("get_indicators", {"indicator": "rsi,macd,atr", "look_back_days": 10})]
            return {"tool_calls": [{"function": {"name": name, "arguments": given}} for name, given in wanted]}
        if agent in FORMS:
            return {"content": json.dumps(FORMS[agent])}
        texts = TEXTS[agent]
        return {"content": texts[min(turn, len(texts) - 1)]}
