"""Which of the changes that have a fix may be written: those after which every handshake and every plain request goes where
it went before, on paper. All others are left to the reader, with what would go elsewhere."""

import dataclasses

import engine
import parse
import rewrite
import routes
import world
import write
from finding import note

MODULE_FIXES = ("load_module", "module_name")


@dataclasses.dataclass
class Plan:
    """What may be written, and what not and why."""

    tree: object
    edits: list = dataclasses.field(default_factory=list)
    refused: dict = dataclasses.field(default_factory=dict)  # (file, line) -> (finding, why)
    asleep: set = dataclasses.field(default_factory=set)  # places of rules that had better not be mended
    keep_module: str = ""  # why the LoadModule line stays

    def tree_with(self, edits):
        if not edits:
            return self.tree
        texts = {path: rewritten.after for rewritten in write.rewrite_files(edits, self.tree) for path, name in self.tree.files.items()
                 if name == rewritten.name}
        return parse.read_again(self.tree, texts)

    def notes(self):
        return [note(finding.place, f"--write leaves this line alone: {why}") for finding, why in self.refused.values()]

    def refuse(self, findings, why):
        for finding in findings:
            self.refused[finding.place.file, finding.place.line] = finding, why


def plan_for(tree, findings):
    plan = Plan(tree)
    for leader, group in groups_of(tree, [each for each in findings if each.fix and each.fix not in MODULE_FIXES]).items():
        why = why_not(plan, group)
        if why:
            plan.refuse(group, why)
            plan.asleep.add(leader)
        else:
            plan.edits += group
    plan_module(plan, [each for each in findings if each.fix in MODULE_FIXES])
    return plan


def groups_of(tree, findings):
    """Mends that only make sense together, by the place of their rule: those of the rule itself and of its conditions."""
    leader = {}
    for rule, conditions in rewrite.rules_of(tree):
        for directive in (rule, *(condition.directive for condition in conditions)):
            leader[directive.place] = rule.place
    groups = {}
    for each in findings:
        groups.setdefault(leader.get(each.place, each.place), []).append(each)
    return groups


def why_not(plan, group):
    """Why these mends are not written on top of those that are; "" where nothing goes elsewhere."""
    here, file = world.of(plan.tree), group[0].place.file
    before, after = plan.tree_with(plan.edits), plan.tree_with(plan.edits + group)
    return reason(lambda: routes.differences((before.of_file(file), here), (after.of_file(file), here), True))


def reason(compare):
    try:
        found = compare()
    except engine.Unsure as unsure:
        return f"where requests would go then cannot be told, because of {unsure}"
    more = f", and {len(found) - 1} other {'kind' if len(found) == 2 else 'kinds'} of request" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else ""


def plan_module(plan, findings):
    """The LoadModule line and the <IfModule> sections go together, or, where a2enmod has to load the module, the sections
    come to depend on what both modules need."""
    swap = any(each.fix == "load_module" for each in findings)
    if not swap:
        plan_sections(plan, findings)
        return
    keep = write.reason_to_keep_module(findings, plan.tree)
    if keep and "a2enmod" in keep:
        findings = [dataclasses.replace(each, fix="module_either") for each in findings if each.fix == "module_name"]
    elif keep:
        findings = []
    mended = plan.tree_with(plan.edits)
    after = plan.tree_with(plan.edits + findings)
    here, there = world.of(mended), world.of(after, world.OURS)
    why = reason(lambda: routes.differences((mended, here), (after, there)))
    if not why and keep and findings:
        why = reason(lambda: routes.differences((mended, here), (after, here)))
    plan.keep_module = keep or (f"with it {why}" if why else "")
    if not why:
        plan.edits += findings
    elif findings:
        plan.refuse([each for each in findings if each.fix != "load_module"], why)


def plan_sections(plan, findings):
    """Sections for mod_proxy_wstunnel where it is not loaded any more: they say nothing now."""
    if not plan.tree.loaded("proxy_websocket_module"):
        return  # the LoadModule line is elsewhere, and decides
    for each in findings:
        why = why_not(plan, [each])
        if why:
            plan.refuse([each], why)
        else:
            plan.edits.append(each)

