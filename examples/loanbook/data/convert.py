"""Write the Parquet file of this folder from the source's CSV: the columns that the example needs, values unchanged.

python examples/loanbook/data/convert.py PATH/TO/test_labels.csv.gz
"""

import sys
from pathlib import Path

import duckdb

COLUMNS = (
    "id", "loan_status", "issue_d", "grade", "sub_grade", "installment", "int_rate", "total_pymnt", "total_rec_prncp",
    "total_rec_int", "total_rec_late_fee", "recoveries", "collection_recovery_fee",
)  # fmt: skip
TARGET = Path(__file__).with_name("lendingclub_2015_outcomes.parquet")


def convert(source: Path) -> None:
    """Write the file, ordered by month, grade and rate, because sorted columns are smaller."""
    query = f"SELECT {', '.join(COLUMNS)} FROM read_csv('{source}') ORDER BY issue_d, sub_grade, int_rate, id"
    duckdb.sql(f"COPY ({query}) TO '{TARGET}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19)")


if __name__ == "__main__":
    convert(Path(sys.argv[1]))
