with recursive

    issues as (
        select source_id, issue_id, parent_issue_id, role from {{ ref("int_jira__issues") }}
    ),

    -- Climbs from every issue towards its root and stops at the first initiative. The bound on
    -- depth ends loops, which moved or re-parented records can leave behind.
    ancestors as (
        select
            source_id,
            issue_id,
            issue_id as ancestor_id,
            parent_issue_id as next_parent_id,
            role as ancestor_role,
            0 as depth
        from issues
        union all
        select
            ancestors.source_id,
            ancestors.issue_id,
            issues.issue_id,
            issues.parent_issue_id,
            issues.role,
            ancestors.depth + 1
        from ancestors
        inner join
            issues
            on issues.source_id = ancestors.source_id
            and issues.issue_id = ancestors.next_parent_id
        where ancestors.ancestor_role <> 'initiative' and ancestors.depth < 20
    ),

    final as (
        select
            source_id,
            issue_id,
            source_id || ':' || ancestor_id as initiative_id,
            depth as depth_below_initiative
        from ancestors
        where ancestor_role = 'initiative'
    )

select *
from final
