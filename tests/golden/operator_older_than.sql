WITH "profiles" AS (
  SELECT
    "leads"."lead",
    CASE
      WHEN REGEXP_FULL_MATCH(TRIM("leads"."title", ' 	'), '[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}')
      THEN TRY_CAST(TRIM("leads"."title", ' 	') AS DATE)
      ELSE CAST("leads"."title as a moment" AS DATE)
    END AS "title as a date"
  FROM (
    SELECT
      *,
      CASE
        WHEN REGEXP_FULL_MATCH(TRIM("title", ' 	'), '[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}')
        THEN CAST(TRY_CAST(TRIM("title", ' 	') AS DATE) AS TIMESTAMP)
        WHEN REGEXP_FULL_MATCH(
          TRIM("title", ' 	'),
          '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?'
        )
        THEN MAKE_TIMESTAMP(
          EPOCH_US(
            TRY_CAST(REGEXP_EXTRACT(
              TRIM("title", ' 	'),
              '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
              1
            ) || ' ' || REGEXP_EXTRACT(
              TRIM("title", ' 	'),
              '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
              2
            ) AS TIMESTAMP)
          ) + CAST(RPAD(
            REGEXP_EXTRACT(
              TRIM("title", ' 	'),
              '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
              3
            ),
            6,
            '0'
          ) AS BIGINT) + CASE
            WHEN REGEXP_EXTRACT(
              TRIM("title", ' 	'),
              '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
              4
            ) = '+'
            THEN -(
              (
                (
                  TRY_CAST(REGEXP_EXTRACT(
                    TRIM("title", ' 	'),
                    '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
                    5
                  ) AS BIGINT)
                ) * 3600000000
              ) + (
                (
                  TRY_CAST(REGEXP_EXTRACT(
                    TRIM("title", ' 	'),
                    '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
                    6
                  ) AS BIGINT)
                ) * 60000000
              )
            )
            WHEN REGEXP_EXTRACT(
              TRIM("title", ' 	'),
              '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
              4
            ) = '-'
            THEN (
              (
                (
                  TRY_CAST(REGEXP_EXTRACT(
                    TRIM("title", ' 	'),
                    '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
                    5
                  ) AS BIGINT)
                ) * 3600000000
              ) + (
                (
                  TRY_CAST(REGEXP_EXTRACT(
                    TRIM("title", ' 	'),
                    '([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?',
                    6
                  ) AS BIGINT)
                ) * 60000000
              )
            )
            ELSE 0
          END
        )
      END AS "title as a moment"
    FROM "leads"
  ) AS "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(CASE
      WHEN (
        CAST('2026-11-01' AS DATE) - "profiles"."title as a date"
      ) >= 3
      THEN 1000
      ELSE 0
    END AS BIGINT) AS "rule",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
), "summed" AS (
  SELECT
    *,
    "rule" AS "engagement"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE WHEN "in audience" THEN NULL END AS TEXT) AS "band",
  CAST(NULL AS TEXT) AS "grade",
  CAST(NULL AS TIMESTAMP) AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    )
  END AS BIGINT) AS "engagement",
  "rule"
FROM "totalled"
