# SPDX-License-Identifier: Apache-2.0
"""
From facts to sentences: what the templates of the consumer page print, in one language.

A template holds layout only; every choice of wording that depends on a fact is made here, where it can be
tested without a browser.  The facts come from `core.judge.verdict.view`.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from traceledger.core.judge.verdict.journey import distance_km
from traceledger.core.judge.verdict.lines import RUNGS
from traceledger.core.judge.verdict.view import Amount, CorrectionView, Line, LotView, StepView
from traceledger.core.reasons import REASONS
from traceledger.web import formats
from traceledger.web.texts import ICONS, WEAK_ICONS, LineText, PlaceText, RungText
from traceledger.web.words import Words


class Page:
    """
    The sentences of one lot or stamp in one language.

    Args:
        view: The facts.

        words: The language.
    """

    def __init__(self, view: LotView, words: Words) -> None:
        self.view = view
        self.words = words
        self.lang = words.lang

    # --- small words

    def date(self, day: str) -> str:
        """A day with its year."""
        return formats.format_date(day, self.lang)

    def short_date(self, day: str) -> str:
        """A day without its year where that is the year of the scan."""
        this_year = datetime.fromtimestamp(self.view.now, UTC).astimezone(formats.LOCAL).year
        return formats.format_date(day, self.lang, year=not day.startswith(f"{this_year}-"))

    def at(self, seconds: int) -> str:
        """A moment, without its year where that is the year of the scan."""
        return _together(formats.format_short(seconds, self.lang, now=self.view.now))

    def moment(self, seconds: int) -> str:
        """A moment in full."""
        return _together(formats.format_moment(seconds, self.lang))

    def event_time(self, step: StepView) -> str:
        """When a step happened, as its signer said."""
        return _together(formats.format_event_time(step.event_time, step.event_offset, self.lang))

    def declared_time(self, time: str) -> str:
        """When an error was declared; kept in the offset it was written with."""
        return _together(formats.format_event_time(time, "", self.lang))

    def amounts(self, amounts: Any) -> str:
        """Amounts with units."""
        return _together(formats.format_amounts(amounts, self.words))

    def number(self, value: Decimal) -> str:
        """A bare number."""
        return formats.format_number(value, self.lang)

    def integer(self, value: int) -> str:
        """A whole number with separators."""
        return formats.format_number(Decimal(value), self.lang)

    def kilograms(self, value: Decimal) -> str:
        """A mass in kilograms."""
        return formats.format_amounts((Amount(value=value, uom="KGM"),), self.words)

    def correction(self, correction: CorrectionView) -> str:
        """What was corrected: before, after, by whom, when and why."""
        key = "facts.correction" if correction.after else "facts.correction_void"
        return self.words(
            key,
            step=correction.step,
            before=self.amounts(correction.before) or self.words(f"kind.{correction.kind}"),
            **({"after": self.amounts(correction.after)} if correction.after else {}),
            by=correction.declared.by_name,
            at=self.declared_time(correction.declared.time),
            reason=correction.declared.reason,
        )

    def chain(self, name: str, chain_id: int) -> str:
        """What a chain is called; the test chain of this machine has a name in each language."""
        key = f"chain.{chain_id}"
        return self.words(key) if key in self.words else name

    def reason(self, code: str | None) -> str:
        """The sentence of a reason code; the code itself where it is none of the closed list."""
        if code is None:
            return ""
        if code not in REASONS:
            return code
        _, english, vietnamese = REASONS[code]
        return vietnamese if self.lang == "vi" else english

    def finding(self, code: str) -> str:
        """The sentence of a finding; the code itself where it has none."""
        key = f"finding.{code}"
        return self.words(key) if key in self.words else code

    # --- the product block

    def title(self) -> str:
        """What the goods are."""
        view = self.view
        if view.goods.state == "unknown":
            return self.words("product.scanned")
        if view.product_name:
            return view.product_name
        if view.lot:
            return self.words("product.lot_named", lot=view.lot)
        if view.gtin:
            return self.words("product.gtin_only", gtin=view.gtin)
        return view.subject

    def harvest(self) -> str:
        """When it was harvested, or an empty string."""
        view = self.view
        if not view.harvest_date:
            return ""
        if view.harvest_from != view.harvest_date:
            return self.words(
                "product.harvest_range",
                start=self.short_date(view.harvest_from),
                end=self.date(view.harvest_date),
            )
        return self.words("product.harvest", date=self.date(view.harvest_date))

    def producer(self) -> str:
        """Who and where."""
        return " · ".join(part for part in (self.view.producer_name, self.view.place) if part)

    # --- the three lines

    def goods(self) -> LineText:
        """The goods line."""
        line, words = self.view.goods, self.words
        key, args = line.state, line.args
        notes: tuple[str, ...] = ()
        if line.state == "recalled":
            title = words("goods.recalled", reason=args["reason"])
            notes = (words("goods.recalled_by", by=args["by"], at=self.moment(args["at"])),)
            todo = words("goods.recalled_do", action=args["action"])
            return self._text(line, title, todo, notes)
        if line.state == "locked":
            key = "void" if args["void"] else "locked"
            title = (
                words(f"goods.{key}_reason", reason=args["reason"])
                if args["reason"]
                else words(f"goods.{key}")
            )
            return self._text(line, title, words("goods.locked_do"))
        todo_key = f"goods.{key}_do"
        return self._text(line, words(f"goods.{key}"), words(todo_key) if todo_key in words else "")

    def record(self) -> LineText:
        """The record line, with the trace, the spray and further remarks below it."""
        view, line = self.view, self.view.record
        notes = self._record_notes(line)
        # One thing to do at a time: an order to stop, or a doubt about the label, comes first.
        calm = view.goods.severity == view.label.severity == "grey"
        todo = "" if line.state == "unchanged" and not calm else self.words(f"record.{line.state}_do")
        if line.state == "unchanged" and view.stamp is None:
            todo = ""
        return self._text(line, self._record_title(line), todo, tuple(notes))

    def _record_title(self, line: Line) -> str:
        words, args = self.words, line.args
        if line.state == "altered":
            return (
                words("record.altered", step=args["step"])
                if args["step"]
                else words("record.altered_somewhere")
            )
        if line.state == "finding":
            said = self.finding(args["code"])
            if args["step"]:
                return words("record.finding", step=args["step"], finding=said)
            return words("record.finding_somewhere", finding=said)
        return words(f"record.{line.state}")

    def _record_notes(self, line: Line) -> list[str]:
        words, args = self.words, line.args
        if line.state == "altered":
            notes = [words("record.altered_why", rung=words(f"rung.{args['rung']}"))]
            return [*notes, self.reason(args["reason"])] if args["reason"] else notes
        if line.state == "no-data":
            return []
        findings = [other for other in line.also if other.state == "finding"]
        notes = [self._record_title(findings.pop(0))] if findings and line.state != "finding" else []
        if findings:
            notes.append(words("record.more_findings", count=len(findings)))
        for other in (line, *line.also):
            if other.state in ("unchanged", "test-chain"):
                notes.append(self._trace(other))
            elif other.state in ("anchor-pending", "chain-unreachable") and other is not line:
                notes.append(self._record_title(other))
        notes.extend(self._spray())
        if args.get("whole") and line.severity == "green":
            notes.append(words("record.whole"))
        if args.get("unproven"):
            notes.append(words("record.unproven"))
        return notes

    def _trace(self, line: Line) -> str:
        chain = self.chain(line.args["chain"], line.args["chain_id"])
        if line.args["at"] is None:
            return self.words("record.trace_no_time", chain=chain)
        return self.words("record.trace", chain=chain, at=self.at(line.args["at"]))

    def _spray(self) -> list[str]:
        spray, words = self.view.last_spray, self.words
        if spray is None:
            return []
        args = {
            "date": self.short_date(spray.date),
            "phi": spray.phi,
            "tier": words(f"record.tier_{spray.tier}"),
        }
        if spray.days is None:
            return [words("record.spray_open", **args)]
        if spray.ok:
            return [words("record.spray_ok", **args)]
        return [words("record.spray_short", days=spray.days, **args)]

    def label(self) -> LineText:
        """The label line: a warning where there is cause, else the count of scans."""
        line, words = self.view.label, self.words
        stamp = self.view.stamp
        if stamp is None:
            return self._text(line, words("label.lot_page"))
        if line.state == "none":
            return self._text(line, self._scans(line) if line.args else "")
        notes = (words("label.scans_short", count=line.args["scans"]),)
        if line.state == "copy-suspected":
            why = "label.copy_signature" if line.args["reason"] == "stamp-signature" else "label.copy_places"
            return self._text(
                line, words("label.copy-suspected"), words("label.copy-suspected_do"), (words(why), *notes)
            )
        title = words("label.opened-before", at=self.moment(line.args["at"]))
        return self._text(line, title, words("label.opened-before_do"), notes)

    def _scans(self, line: Line) -> str:
        seen = line.args.get("own_rescan_at")
        if seen is not None:
            return self.words("label.own_rescan", at=self.at(seen))
        count = line.args.get("scans") or 0
        return self.words("label.scans", count=count) if count > 1 else self.words("label.scans_none")

    def _text(self, line: Line, title: str, todo: str = "", notes: tuple[str, ...] = ()) -> LineText:
        return LineText(
            severity=line.severity,
            icon=WEAK_ICONS.get(line.severity, ICONS[line.state])
            if line.state == "unchanged"
            else ICONS[line.state],
            title=title,
            todo=todo,
            notes=notes,
        )

    # --- journey and evidence

    def proves(self) -> str:
        """What the page may claim to prove: nothing of an altered record, "unaltered" only of one that is anchored."""
        record = self.view.record
        if record.state in ("altered", "no-data"):
            return ""
        strong = any(
            line.state == "unchanged" and not line.args.get("unproven") for line in (record, *record.also)
        )
        return self.words("proof.proves_what" if strong else "proof.proves_what_weak")

    def kind(self, step: StepView) -> str:
        """What was done; an imported event is told by its business step where that has a word."""
        step_key = f"bizstep.{step.biz_step.rsplit('/', 1)[-1].rsplit('-', 1)[-1].rsplit(':', 1)[-1]}"
        if step.kind == "import" and step_key in self.words:
            return self.words(step_key)
        key = f"kind.{step.kind}"
        return self.words(key) if key in self.words else step.kind

    def place(self, step: StepView) -> str:
        """Where it was done, in the best words known; the bare number where nobody named it."""
        parts = [part for part in (step.site_name, step.place) if part]
        return ", ".join(dict.fromkeys(parts)) or step.site.removeprefix("https://id.gs1.org/")

    def used(self, step: StepView) -> str:
        """What was used in a step and how much of it, as the diary says; empty where it says nothing."""
        return ", ".join(step.diary[name] for name in ("material", "dose") if step.diary.get(name))

    def particulars(self, step: StepView) -> str:
        """The few further facts of a step: what was used, codes, interval, papers."""
        words = self.words
        parts = [part for part in (self.used(step), step.diary.get("note")) if part]
        if step.codes:
            parts.append(words("journey.code", codes=", ".join(step.codes)))
        if step.phi is not None:
            parts.append(words("journey.phi", days=step.phi))
        if step.evidence:
            parts.append(
                words("journey.papers", names=", ".join(str(p.get("name", "")) for p in step.evidence))
            )
        text = " · ".join(parts)
        return text[:1].upper() + text[1:]

    def places(self) -> list[PlaceText]:
        """The journey as a strip of places: steps in order, a new place wherever it changes."""
        found: list[PlaceText] = []
        for step in self.view.steps:
            title = self.place(step) or self.words("journey.no_place")
            if found and found[-1].title == title:
                found[-1] = replace(found[-1], steps=(*found[-1].steps, step))
            else:
                found.append(
                    PlaceText(title=title, geo=step.geo, distance=self.distance(step), steps=(step,))
                )
        return found

    def distance(self, step: StepView) -> str:
        """How far from the last step before it that states coordinates, or an empty string."""
        if step.geo is None:
            return ""
        before = [other.geo for other in self.view.steps if other.number < step.number and other.geo]
        if not before or before[-1] == step.geo:
            return ""
        return self.words("journey.distance", km=round(distance_km(before[-1], step.geo)))

    def custody(self, custody: str) -> str:
        """How a key is kept."""
        return self.words(f"custody.{custody or 'unknown'}")

    def stamps_of(self, step: StepView) -> int:
        """How many stamps an activation covers."""
        data = step.statement.get("data")
        ranges = data.get("ranges", []) if isinstance(data, dict) else []
        return sum(last - first + 1 for first, last in ranges)

    def steps_of(self, *kinds: str) -> list[StepView]:
        """Standing steps of some kinds."""
        return [step for step in self.view.steps if step.kind in kinds and step.declared_wrong is None]

    def rungs(self) -> list[RungText]:
        """Every rung, in order, with its reason in words."""
        texts = []
        for name in RUNGS:
            rung = self.view.rungs.get(name)
            result = rung.result.replace(" ", "_") if rung else "not_checked"
            reason = rung.reason if rung else None
            what = self.words(f"rung.{name}_what")
            texts.append(
                RungText(
                    name=name,
                    title=self.words(f"rung.{name}"),
                    result=result,
                    result_text=self.words(f"evidence.{result}"),
                    sentence=what if result == "pass" or not reason else self.reason(reason),
                    code=reason or "",
                )
            )
        return texts


def _together(text: str) -> str:
    """*text* that no line end may cut: a date from its hour, a number from its unit."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


_TRACE_STATES = frozenset({"test-chain", "anchor-pending", "chain-unreachable"})
