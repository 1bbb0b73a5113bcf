"""The settings as a file: every one with its sentence, at its default."""

import msgspec

from .settings import Settings


def file_text() -> str:
    """A commented endcap.toml with every setting at its default."""
    lines = ["# Endcap settings. Each can also be given as ENDCAP_NAME in the environment.", ""]
    hints = msgspec.structs.fields(Settings)
    for field in hints:
        meta = msgspec.inspect.type_info(field.type)
        about = (getattr(meta, "extra_json_schema", None) or {}).get("description", "")
        default = msgspec.json.encode(field.default).decode()
        lines += [f"# {about}", f"# {field.name} = {default}", ""]
    return "\n".join(lines)
