"""What Rescore needs of Tryton: fields for scores, and more to read for its group."""

from trytond.model import ModelStorage, ModelView, fields
from trytond.pool import Pool, PoolMeta


class SaleOpportunity(metaclass=PoolMeta):
    __name__ = "sale.opportunity"

    rescore_score = fields.Integer("Score")
    rescore_band = fields.Char("Band")
    rescore_engagement = fields.Integer("Engagement")
    rescore_fit = fields.Integer("Fit")
    rescore_reasons = fields.Text("Reasons")
    rescore_changed_at = fields.DateTime("Score Changed At")
    rescore_rules_version = fields.Integer("Rules Version")


class SearchedByRescore(ModelStorage):
    """Tryton lets nobody but administrators look for new notes and e-mails; the group may, too.

    What it may read of them is still decided lead by lead.
    """

    @classmethod
    def check_search_access(cls, domain):
        data, user = Pool().get("ir.model.data"), Pool().get("res.user")
        if data.get_id("sale_opportunity_score", "group_rescore") not in user.get_groups():
            super().check_search_access(domain)


class Note(SearchedByRescore, metaclass=PoolMeta):
    __name__ = "ir.note"


class Email(SearchedByRescore, metaclass=PoolMeta):
    __name__ = "ir.email"


class URLAccess(ModelView, metaclass=PoolMeta):
    """Makes opens and clicks readable from outside."""

    __name__ = "web.shortened_url.access"
