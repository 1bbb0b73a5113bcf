"""The command `endcap`: thin commands, one file each."""

import sys

from endcap.core.errors import ConfigurationError, EndcapError

from .output import EXIT_CONFIGURATION, EXIT_FAILED, complain


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 in part."""
    from .commands import app

    try:
        app()
    except EndcapError as error:
        complain(error)
        wrong = error.code in ("configuration_error", "invalid_input", "unknown_placement")
        sys.exit(EXIT_CONFIGURATION if wrong else EXIT_FAILED)
    except OSError as error:  # a folder that cannot be written, a disk that is full
        complain(ConfigurationError(str(error)))
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
