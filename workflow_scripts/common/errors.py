"""One exception for everything a user can put right, so that a script ends in one line instead of a traceback."""


class LabError(ValueError):
    """Bad input. The message names the file, the row, the field and what was expected, as far as they are known."""

    def __init__(self, message: str, *, file: object = None, row: object = None, field: str | None = None):
        place = [f"{name} {value}" for name, value in (("row", row), ("field", field)) if value is not None]
        head = ": ".join(str(part) for part in (file, ", ".join(place)) if part)
        super().__init__(f"{head}: {message}" if head else message)
        self.message, self.file, self.row, self.field = message, file, row, field
