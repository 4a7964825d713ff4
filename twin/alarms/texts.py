"""Every word that a message says, one object a language. What is English in the tables is listed for Chinese only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from twin.alarms.rows import ALARMS, AlarmRow, index_of

__all__ = ["LANGUAGES", "Words", "words"]


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one language. `alarms`: code -> title, cause, consequence, advice; missing = as in the table."""

    what: str
    where: str
    since: str
    state: str
    how_bad: str
    seen: str
    cause: str
    consequence: str
    advice: str
    respond: str
    by: str
    look: str
    colon: str
    minutes: str
    subjects: Mapping[str, str]
    priorities: Mapping[str, str]
    states: Mapping[str, str]
    digest: str
    digest_places: str
    more: str
    alarms: Mapping[str, tuple[str, str, str, str]]

    def title(self, row: AlarmRow) -> str:
        return self.alarms[row.code][0] if row.code in self.alarms else row.title

    def title_of(self, code: str) -> str:
        return self.title(ALARMS[index_of(code)])

    def rational(self, row: AlarmRow) -> tuple[str, str, str]:
        """Likely cause, consequence, advice."""
        found = self.alarms.get(row.code)
        return found[1:] if found else (row.cause, row.consequence, row.advice)

    def subject(self, kind: str, priority: str, title: str, unit: str, level: int) -> str:
        return self.subjects[kind].format(priority=self.priorities[priority], title=title, unit=unit, level=level)

    def within(self, minutes: int) -> str:
        return self.minutes.format(minutes=minutes)

    def many(self, count: int, unit: str) -> str:
        return self.digest.format(count=count, unit=unit)

    def places(self, count: int, units: int) -> str:
        return self.digest_places.format(count=count, units=units)

    def and_more(self, count: int) -> str:
        return self.more.format(count=count)


EN = Words(
    what="What", where="Where", since="Since", state="State", how_bad="Priority", seen="Seen", cause="Likely cause",
    consequence="If nothing is done", advice="What to do", respond="Respond", by="By", look="Look", colon=": ",
    minutes="within {minutes} min",
    subjects=MappingProxyType({
        "raised": "[{priority}] {title}: {unit}",
        "realarmed": "[{priority}] still there: {title}: {unit}",
        "returned": "[{priority}] over, not acknowledged: {title}: {unit}",
        "acknowledged": "[{priority}] acknowledged: {title}: {unit}",
        "cleared": "[{priority}] over: {title}: {unit}",
        "silenced": "[{priority}] silenced: {title}: {unit}",
        "escalated": "[{priority}] nobody has acknowledged (step {level}): {title}: {unit}",
    }),
    priorities=MappingProxyType({"low": "low", "medium": "medium", "high": "high"}),
    states=MappingProxyType({
        "normal": "normal", "unacknowledged": "not acknowledged", "acknowledged": "acknowledged",
        "returned_unacknowledged": "over, not acknowledged", "latched_unacknowledged": "latched, not acknowledged",
        "latched_acknowledged": "latched, to be reset", "shelved": "shelved", "suppressed": "suppressed by design",
        "out_of_service": "out of service",
    }),
    digest="{count} alarms: {unit}", digest_places="{count} alarms at {units} units.", more="... and {count} more.",
    alarms=MappingProxyType({}),
)  # fmt: skip

_ZH_ALARMS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType({
    "broker_lost": (
        "消息服务器中断", "MQTT 服务器停机或无法连接。",
        "全厂失去监视。",
        "重启服务器或修复网络。",
    ),
    "line_silent": (
        "整个系列无数据", "系列网络或全部网关中断。",
        "整个系列失去监视。",
        "检查系列网络和网关电源。",
    ),
    "line_current_low": (
        "系列电流低", "整流机组跳闸、电网停电或系列断路。",
        "电解槽冷却，数小时内电解质凝固。",
        "查明原因和时长；给电解槽加强保温。",
    ),
    "gateway_silent": (
        "网关无数据", "该工区网关断电或断网。",
        "该工区电解槽失去监视。",
        "检查该工区网关的电源和网络。",
    ),
    "anode_effect": (
        "阳极效应", "氧化铝溶解不足：下料器堵塞或电解质偏冷。",
        "排放全氟化碳（CF4、C2F6），槽电压多出约 30 V，槽过热。",
        "熄灭效应：加料、下降阳极。",
    ),
    "voltage_high": (
        "槽电压高", "极距过大、电解质电阻高或接触不良。",
        "每 100 mV 约多耗电 320 kWh/t。",
        "检查下料和极距。",
    ),
    "voltage_low": (
        "槽电压低", "极距过小：阳极长包、阳极下滑或母线过低。",
        "经铝液短路，电流效率下降。",
        "检查是否长包或短路。",
    ),
    "bath_hot": (
        "电解质温度高", "过热度过大：电压设定、覆盖料或氟化铝不当。",
        "炉帮熔化，侧壁和铁含量有风险，电流效率下降。",
        "检查热平衡。",
    ),
    "bath_cold": (
        "电解质温度低", "热损失大：覆盖料缺失、新换阳极、电压低或系列电流低。",
        "氧化铝不溶：形成沉淀，继而阳极效应。",
        "检查是否有沉淀。",
    ),
    "noisy": (
        "槽电压波动", "铝液不稳：阳极过低、长包、沉淀或炉帮不规整。",
        "电流效率下降；控制系统抬高极距，多耗电。",
        "检查阳极和铝液。",
    ),
    "no_data": (
        "无数据", "传感器、电缆或槽控机中断。",
        "该槽失去监视：看不到阳极效应和漏槽。",
        "检查传感器和网关。",
    ),
})  # fmt: skip

ZH = Words(
    what="报警", where="位置", since="开始时间", state="状态", how_bad="优先级", seen="依据", cause="可能原因",
    consequence="不处理的后果", advice="处理措施", respond="响应", by="操作人", look="查看", colon="：",
    minutes="{minutes} 分钟内",
    subjects=MappingProxyType({
        "raised": "【{priority}】{title}：{unit}",
        "realarmed": "【{priority}】仍未消除：{title}：{unit}",
        "returned": "【{priority}】已恢复未确认：{title}：{unit}",
        "acknowledged": "【{priority}】已确认：{title}：{unit}",
        "cleared": "【{priority}】已消除：{title}：{unit}",
        "silenced": "【{priority}】已抑制：{title}：{unit}",
        "escalated": "【{priority}】无人确认（第 {level} 级）：{title}：{unit}",
    }),
    priorities=MappingProxyType({"low": "低", "medium": "中", "high": "高"}),
    states=MappingProxyType({
        "normal": "正常", "unacknowledged": "未确认", "acknowledged": "已确认",
        "returned_unacknowledged": "已恢复未确认",
        "latched_unacknowledged": "锁存未确认", "latched_acknowledged": "锁存待复位", "shelved": "已搁置",
        "suppressed": "设计抑制", "out_of_service": "停用",
    }),
    digest="{count} 条报警：{unit}", digest_places="{units} 个单元共 {count} 条报警。", more="……另有 {count} 条。",
    alarms=_ZH_ALARMS,
)  # fmt: skip
LANGUAGES: Mapping[str, Words] = MappingProxyType({"en": EN, "zh": ZH})


def words(language: str) -> Words:
    """The words of a language; raises KeyError for one that there is not."""
    return LANGUAGES[language]
