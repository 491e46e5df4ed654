"""Write the Parquet file of this folder from the source's CSV files: the columns that the example needs, unchanged.

python examples/open_bandit/data/convert.py PATH/TO/FOLDER  # with random/all/all.csv.gz, bts/men/men.csv.gz, ...
"""

import sys
from pathlib import Path

import duckdb

TARGET = Path(__file__).with_name("open_bandit.parquet")
PARTS = tuple((logger, campaign) for logger in ("random", "bts") for campaign in ("all", "men", "women"))


def convert(source: Path) -> None:
    """Write one file of all six, in their own order of rows."""
    parts = " UNION ALL ".join(
        f"SELECT '{logger}' AS logger, '{campaign}' AS campaign, column00 AS row, timestamp, item_id, position, click, "
        f"propensity_score FROM read_csv('{source / logger / campaign / campaign}.csv.gz')"
        for logger, campaign in PARTS
    )
    query = f"SELECT * FROM ({parts}) ORDER BY logger DESC, campaign, row"
    duckdb.sql(f"COPY ({query}) TO '{TARGET}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19)")


if __name__ == "__main__":
    convert(Path(sys.argv[1]))
