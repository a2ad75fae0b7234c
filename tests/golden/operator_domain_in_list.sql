WITH "list domains" AS (
  SELECT
    UNNEST(
      STRING_SPLIT('ac.uk
example.com
nat.example.org', '
')
    ) AS "value"
), "profiles" AS (
  SELECT
    "leads"."lead",
    REGEXP_EXTRACT(
      TRIM(
        SPLIT_PART(
          CASE
            WHEN CONTAINS("leads"."email_domain__folded", '://')
            THEN REGEXP_EXTRACT("leads"."email_domain__folded", '://([^/?#]*)', 1)
            ELSE "leads"."email_domain__folded"
          END,
          '@',
          -1
        ),
        ' 	'
      ),
      '^[^/?#:> \t]*[^/?#:> \t.]'
    ) AS "email_domain as a domain"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(CASE
      WHEN NOT COALESCE(
        REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){1}[^.]*$') IN (
          SELECT
            "value"
          FROM "list domains"
        )
        OR REGEXP_EXTRACT("profiles"."email_domain as a domain", '(?:[^.]*\.){2}[^.]*$') IN (
          SELECT
            "value"
          FROM "list domains"
        ),
        FALSE
      )
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
